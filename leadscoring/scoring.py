"""Facts out of the database, through the engine, into today's scores and their crossings."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min, Q

from leadscoring.common.bulk_sql import column_values, rows_as_json, run_statement
from leadscoring.engine import (
    RECENT_PER_TYPE,
    ActivityFact,
    Profile,
    ScoreResult,
    ScoringModel,
    advance_qualification,
    compute_score,
)
from leadscoring.models import Contact, Lifecycle, ModelVersion, Score
from leadscoring.signals import Crossing, people_scored, threshold_crossed

Instants = Mapping[int, datetime]

# At each contact's own instant: the last profile known at or before it. Before the first there is
# none: what was learned later was worth nothing then.
PROFILES = """
    SELECT DISTINCT ON (change.contact_id) change.contact_id, change.fields, change.properties
    FROM leadscoring_profilechange AS change
    JOIN unnest(%s::bigint[], %s::timestamptz[]) AS asked(id, at) ON asked.id = change.contact_id
        AND change.at <= asked.at
    ORDER BY change.contact_id, change.at DESC
"""
# An index probe for each contact and type, so that a contact with a hundred thousand activities
# costs no more than the engine will look at; ties are broken as the engine breaks them.
ACTIVITIES = """
    SELECT asked.id, done.type, done.occurred_at, done.properties, done.source, done.event_id
    FROM unnest(%s::bigint[], %s::timestamptz[]) AS asked(id, at)
    CROSS JOIN unnest(%s::text[]) AS wanted(type)
    CROSS JOIN LATERAL (
        SELECT type, occurred_at, properties, source, event_id
        FROM leadscoring_activity
        WHERE contact_id = asked.id AND type = wanted.type AND occurred_at <= asked.at
        ORDER BY occurred_at DESC, source COLLATE "C" DESC, event_id COLLATE "C" DESC
        LIMIT %s
    ) AS done
"""
# A refusal by sales, stored as an activity of the contact.
REFUSED = "sales_refused"
# The source of what sales did, as the CRM tells it: nobody else can be it (intake/activities.py).
SALES_SOURCE = "crm"
REFUSALS = """
    SELECT asked.id, refused.occurred_at FROM unnest(%s::bigint[]) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT occurred_at FROM leadscoring_activity
        WHERE contact_id = asked.id AND type = %s AND source = %s ORDER BY occurred_at DESC LIMIT 1
    ) AS refused
"""
TYPES = "SELECT DISTINCT type FROM leadscoring_activity WHERE contact_id = ANY(%s)"
COLUMNS = [str(field.column) for field in Score._meta.concrete_fields]
# The rows travel as one JSON value: a third of the time of bulk_create with its sixteen quoted
# arrays (1,000 rows: 67 ms against 192 ms on two shared cores).
STORE = """
    INSERT INTO leadscoring_score ({columns})
    SELECT {columns} FROM jsonb_populate_recordset(NULL::leadscoring_score, %s)
    ON CONFLICT (contact_id) DO UPDATE SET {changes}
""".format(  # noqa: S608 - names of our own columns
    columns=", ".join(COLUMNS),
    changes=", ".join(
        f"{column} = EXCLUDED.{column}" for column in COLUMNS if column != "contact_id"
    ),
)


@dataclass(slots=True)
class ContactHistory:
    """All that the engine needs of one contact. `profile`: None before they were known."""

    profile: Profile | None
    log: list[ActivityFact]


def profile_of(contact: Contact) -> dict[str, str]:
    """Return the fields of a contact that rules can ask for, as a profile change keeps them."""
    return {
        "email": contact.email or "",
        "external_id": contact.external_id or "",
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "company": contact.company.name if contact.company else "",
        "job_title": contact.job_title,
        "phone": contact.phone,
        "country": contact.country,
    }


def load_histories(instants: Instants, model: ScoringModel) -> dict[int, ContactHistory]:
    """Return what was known of each contact, and what they had done, at the contact's own instant.

    A fixed number of queries. Of each type only the most recent RECENT_PER_TYPE activities are
    read: the engine counts no more.
    """
    ids, ats = list(instants), list(instants.values())
    found = {contact_id: ContactHistory(None, []) for contact_id in ids}
    for contact_id, fields, properties in run_statement(PROFILES, [ids, ats]):
        found[contact_id].profile = Profile.of(_read_json(fields), _read_json(properties))
    types = model.activity_types
    if types is None:
        types = frozenset(type_ for (type_,) in run_statement(TYPES, [ids]))
    acts = run_statement(ACTIVITIES, [ids, ats, sorted(types), RECENT_PER_TYPE])
    for contact_id, type_, at, properties, source, event_id in acts:
        found[contact_id].log.append(
            ActivityFact(type_, at, _read_json(properties), source, event_id)
        )
    return found


def _read_json(value: Any) -> dict[str, Any]:
    """Parse a JSON column of a raw query, which Django leaves as text."""
    read: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return read


def first_known_at(contact: Contact) -> datetime:
    """Return when a contact was made or first did something, whichever came first.

    Before that there is no score: `score_at` answers 0 without a reason.
    """
    made = contact.profile_changes.aggregate(first=Min("at"))["first"]
    did = contact.activities.aggregate(first=Min("occurred_at"))["first"]
    return min(moment for moment in (made, did, contact.created_at) if moment)


def score_at(contact: Contact, at: datetime) -> tuple[ScoreResult, ModelVersion]:
    """Return the score of a contact at an instant, by the model in force then. Store nothing."""
    version = ModelVersion.objects.in_force(at)
    known = load_histories({contact.pk: at}, version.model)[contact.pk]
    return compute_score(known.profile, known.log, version.model, at), version


def rescore(
    contact_ids: Collection[int],
    at: datetime,
    types: Mapping[int, set[str]] | None = None,
    withheld: str = "",
) -> None:
    """Bring the scores of contacts up to date, and write down crossings.

    Call inside the transaction that changed their facts, with the contacts locked in id order.
    `types`: what they just did, for listeners. `withheld`: why crossings found now are not to be
    sent to sales. A fixed number of queries, whatever the number of contacts.
    """
    if not contact_ids:
        return
    before = Score.objects.in_bulk(list(contact_ids))
    # Another batch may have waited longer for its locks than this one: a score never goes back.
    instants = {
        contact_id: max(at, before[contact_id].at) if contact_id in before else at
        for contact_id in sorted(contact_ids)
    }
    refused = last_sales_refusals([contact_id for contact_id, row in before.items() if row.cycle])
    scores = []
    for version, some in group_by_model(instants):
        known = load_histories(some, version.model)
        fresh = [
            _scored_row(pk, known[pk], version, instant, before.get(pk), refused.get(pk))
            for pk, instant in some.items()
        ]
        _raise_lifecycle(fresh, before, version.model.thresholds.mql)
        scores += fresh
    run_statement(STORE, [rows_as_json(map(column_values, scores))])
    _send_score_signals(scores, before, at, types or {}, withheld)


def group_by_model(
    instants: Mapping[int, datetime],
) -> Iterator[tuple[ModelVersion, dict[int, datetime]]]:
    """Yield instants by the model that was in force then: nearly always one, and then one query."""
    left = dict(instants)
    while left:
        version = ModelVersion.objects.in_force(max(left.values()))
        since = version.published_at
        some = {pk: instant for pk, instant in left.items() if since is None or instant >= since}
        yield version, some or left  # before the first model the first counts
        left = {pk: instant for pk, instant in left.items() if some and pk not in some}


def last_sales_refusals(contact_ids: Collection[int]) -> dict[int, datetime]:
    """Return when sales last refused each contact; those never refused are left out."""
    if not contact_ids:
        return {}
    return dict(run_statement(REFUSALS, [list(contact_ids), REFUSED, SALES_SOURCE]))


def _scored_row(
    contact_id: int,
    known: ContactHistory,
    version: ModelVersion,
    at: datetime,
    before: Score | None,
    refused_at: datetime | None,
) -> Score:
    """Return the contact's new score row, with their new place before or behind the threshold."""
    scored = compute_score(known.profile, known.log, version.model, at)
    row = Score(
        contact_id=contact_id,
        model=version,
        at=at,
        total=scored.total,
        fit=scored.fit,
        engagement=scored.engagement,
        grade=scored.grade,
        disqualified=scored.disqualified,
        contributions=[contribution.as_dict() for contribution in scored.contributions],
        moves=scored.moves,
    )
    was = replace((before or row).qualification, refused_at=refused_at)
    if before and not was.armed:
        # A contact whose cool-down ended unseen is armed again before what it did now counts.
        was = advance_qualification(
            was, before.total, before.disqualified, version.model.thresholds, at
        )
    now = advance_qualification(
        was, scored.total, scored.disqualified, version.model.thresholds, at
    )
    row.armed, row.cycle, row.crossed_at = now.armed, now.cycle, now.crossed_at
    return row


def _raise_lifecycle(
    scores: Iterable[Score], before: Mapping[int, Score], threshold: float
) -> None:
    """Make contacts marketing-qualified from a total on; never back, and never over what sales has set.

    One whom sales has set back is raised again by a new crossing alone.
    """
    qualified = [row for row in scores if row.total >= threshold]
    crossed = [row.contact_id for row in qualified if _has_crossed(row, before)]
    early = [Lifecycle.SUBSCRIBER, Lifecycle.LEAD]
    Contact.objects.filter(
        Q(stage_set_back_at=None) | Q(pk__in=crossed),
        pk__in=[row.contact_id for row in qualified],
        lifecycle_stage__in=early,
    ).update(lifecycle_stage=Lifecycle.MQL)


def _has_crossed(row: Score, before: Mapping[int, Score]) -> bool:
    """Return whether a contact crossed the handoff threshold with this score."""
    return row.cycle > (before[row.contact_id].cycle if row.contact_id in before else 0)


def _send_score_signals(
    scores: Iterable[Score],
    before: Mapping[int, Score],
    at: datetime,
    types: Mapping[int, set[str]],
    withheld: str,
) -> None:
    crossings = [
        Crossing(
            row.contact_id, row.cycle, row.at, row.total, row.grade, row.contributions, withheld
        )
        for row in scores
        if _has_crossed(row, before)
    ]
    if crossings:
        threshold_crossed.send(Score, crossings=crossings)
    ids = {row.contact_id for row in scores}
    people_scored.send(Score, contact_ids=ids, at=at, types=dict(types))


def rescore_locked(contact_ids: Collection[int], at: datetime, withheld: str = "") -> int:
    """Rescore contacts in a transaction of its own; return how many still exist."""
    with transaction.atomic():
        locked = Contact.objects.filter(pk__in=contact_ids).order_by("pk").select_for_update()
        ids = list(locked.values_list("pk", flat=True))
        rescore(ids, at, withheld=withheld)
    return len(ids)


CHUNK = 1000


def iter_id_chunks(contacts: Any, size: int = CHUNK) -> Iterator[list[int]]:
    """Yield the ids of a query set of contacts in id order, some at a time, in constant memory."""
    last = 0
    while ids := list(
        contacts.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:size]
    ):
        yield ids
        last = ids[-1]


def rescore_all(at: datetime) -> Iterator[int]:
    """Rescore all contacts, a transaction for each chunk; yield the number done in each."""
    for ids in iter_id_chunks(Contact.objects.all()):
        yield rescore_locked(ids, at)


def refresh_scores(at: datetime, seconds: float) -> int:
    """Bring up to date all scores that need it; return how many were rescored."""
    return sum(refresh_chunks(at, seconds))


def refresh_chunks(at: datetime, seconds: float) -> Iterator[int]:
    """Bring up to date the scores that may have changed by time alone.

    Those are: scores that time moves and that are older than `seconds`, scores of a model that is
    no longer in force, contacts that were never scored. Yield how many were rescored in each
    transaction. The caller may stop after any: what is left is found again.
    """
    version = ModelVersion.objects.in_force(at)
    other_model = ~Q(score__model=version) & Q(score__isnull=False)
    quietly = f"{version} was published without telling sales of those who already were over the threshold."
    for ids in iter_id_chunks(Contact.objects.filter(other_model)):
        yield rescore_locked(ids, at, withheld=quietly if version.quiet else "")
    old = Q(score__moves=True, score__at__lt=at - timedelta(seconds=seconds))
    for ids in iter_id_chunks(Contact.objects.filter(old | Q(score=None))):
        yield rescore_locked(ids, at)


@dataclass(frozen=True, slots=True)
class ScoreDifference:
    """A stored score that the engine does not agree with."""

    contact: int
    field: str
    stored: float | str
    computed: float | str


def check_scores(at: datetime | None = None) -> Iterator[list[ScoreDifference]]:
    """Compare stored scores with recomputed ones, a chunk at a time; changes nothing.

    Each at its own stored instant, or all at `at`.
    """
    versions = list(ModelVersion.objects.published().order_by("published_at", "pk"))
    for ids in iter_id_chunks(Contact.objects.filter(score__isnull=False)):
        rows = Score.objects.in_bulk(ids)
        by_model: dict[int, dict[int, datetime]] = {}
        for contact_id, row in rows.items():
            instant = at or row.at
            by_model.setdefault(_version_in_force(versions, instant).pk, {})[contact_id] = instant
        yield [
            difference
            for version in versions
            if version.pk in by_model
            for difference in _iter_differences(rows, by_model[version.pk], version.model)
        ]


def _version_in_force(versions: list[ModelVersion], at: datetime) -> ModelVersion:
    """Return ModelVersion.objects.in_force, of versions at hand in the order of publishing."""
    published = [
        version for version in versions if version.published_at and version.published_at <= at
    ]
    return published[-1] if published else versions[0]


def _iter_differences(
    rows: Mapping[int, Score], instants: Instants, model: ScoringModel
) -> Iterator[ScoreDifference]:
    for contact_id, known in load_histories(instants, model).items():
        computed = compute_score(known.profile, known.log, model, instants[contact_id])
        for name in ("total", "fit", "engagement", "grade"):
            stored, fresh = getattr(rows[contact_id], name), getattr(computed, name)
            if stored != fresh:
                yield ScoreDifference(contact_id, name, stored, fresh)
