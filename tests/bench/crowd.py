"""A crowd of invented people with activities, scores, handoffs, deals and mails, made set-wise."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from crm_sync.deals.stage_policy import recompute_states
from crm_sync.models import Deal, Handoff, HandoffTask, Owner, Stage
from crm_sync.models.handoff import queue_position
from crm_sync.receivers import new_reference
from leadscoring import crm_state
from leadscoring.models import Contact, CrmFreshness, CrmState, Score
from leadscoring.scoring import iter_id_chunks, rescore
from leadscoring.signals import threshold_crossed
from sequences import enrolling
from sequences.models import Delivery, Enrollment, Sequence, Step

FIRST = [
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Radia",
    "Tim",
    "Katherine",
    "Clara",
    "Hedy",
    "Ken",
    "Margaret",
    "Linus",
    "Frances",
]
LAST = [
    "Okafor",
    "Lindqvist",
    "Marchetti",
    "Novak",
    "Fischer",
    "Tanaka",
    "Silva",
    "Haddad",
    "Murphy",
    "Kowalska",
    "Dubois",
    "Larsen",
    "Reyes",
]
FIRMS = [
    "Northwind",
    "Halcyon",
    "Brightwater",
    "Cobalt",
    "Juniper",
    "Meridian",
    "Orchard",
    "Pinnacle",
    "Quarry",
    "Sable",
    "Tidewater",
]
KINDS = ["Logistics", "Foods", "Energy", "Medical", "Software", "Papers", "Textiles", "Robotics"]
TITLES = [
    "VP Marketing",
    "Head of Sales",
    "Office manager",
    "Engineer",
    "Chief Executive",
    "Team lead",
    "",
    "Student",
]
TYPES = ["page_view", "page_view", "page_view", "email_open", "email_click", "content_download",
         "webinar_attended", "form_submit", "trial_started", "demo_request"]  # fmt: skip
URLS = ["/", "/blog/scoring", "/pricing", "/docs", "/careers", "/customers"]

COMPANIES = """
    INSERT INTO leadscoring_company (name, created_at)
    SELECT firm || ' ' || kind || coalesce(' ' || nullif(n, 0)::text, ''), %(at)s
    FROM unnest(%(firms)s::text[]) firm, unnest(%(kinds)s::text[]) kind,
        generate_series(0, greatest(0, %(number)s / 1000)) n
    ON CONFLICT DO NOTHING
"""
PEOPLE = """
    INSERT INTO leadscoring_contact (id, email, first_name, last_name, company_id, job_title, phone, country,
        properties, lifecycle_stage, created_at, updated_at)
    SELECT n, lower(first || '.' || last || n || '@' || split_part(lower(firm.name), ' ', 1) || '.example'),
        first, last, firm.id, title, CASE WHEN n %% 3 = 0 THEN '+49 30 ' || 100000 + n ELSE '' END,
        'Germany', jsonb_build_object('company_size', (n * 37) %% 1400), 'lead', %(at)s, %(at)s
    FROM (SELECT n, (%(firsts)s::text[])[1 + n %% %(nf)s] first, (%(lasts)s::text[])[1 + (n / 7) %% %(nl)s] last,
        (%(titles)s::text[])[1 + (n * 5) %% %(nt)s] title FROM generate_series(1, %(number)s) n) person
    JOIN (SELECT id, name, row_number() OVER (ORDER BY id) - 1 place, count(*) OVER () many
        FROM leadscoring_company) firm ON firm.place = (person.n * 13) %% firm.many
"""
NEXT_ID = "SELECT setval(pg_get_serial_sequence('leadscoring_contact', 'id'), %(number)s)"
PROFILES = """
    INSERT INTO leadscoring_profilechange (contact_id, at, fields, properties)
    SELECT c.id, %(at)s - interval '90 days', jsonb_build_object('email', c.email, 'first_name', c.first_name,
        'last_name', c.last_name, 'company', f.name, 'job_title', c.job_title, 'phone', c.phone,
        'country', c.country, 'external_id', ''), c.properties
    FROM leadscoring_contact c JOIN leadscoring_company f ON f.id = c.company_id
"""
# Most do little, some a lot; the ages are spread over ninety days, denser towards today.
ACTIVITIES = """
    INSERT INTO leadscoring_activity (contact_id, source, event_id, type, occurred_at, received_at, properties)
    SELECT c.id, 'website', c.id || '-' || n, (%(types)s::text[])[1 + spread %% (2 + (c.id * 11) %% 9)],
        %(at)s - interval '90 days' * power(((c.id * 31 + n * 17) %% 97) / 97.0, 2) - interval '1 minute' * (3 + c.id %% 900),
        %(at)s, jsonb_build_object('url', (%(urls)s::text[])[1 + spread %% %(nu)s])
    FROM leadscoring_contact c, generate_series(1, 12) n, LATERAL (SELECT (c.id * 7 + n * 13) %% 101 spread) s
    WHERE n <= 1 + (c.id * 29) %% 12 AND c.id %% 20 <> 0
"""
LAST_SEEN = """
    UPDATE leadscoring_contact c SET last_activity_at = a.last
    FROM (SELECT contact_id, max(occurred_at) last FROM leadscoring_activity GROUP BY 1) a WHERE a.contact_id = c.id
"""


def make(number: int, at: datetime) -> Iterator[str]:
    """So many people, scored by the engine as of `at`; yields what was done. The tables must be empty."""
    values: dict[str, Any] = {
        "at": at, "number": number, "firms": FIRMS, "kinds": KINDS, "firsts": FIRST, "lasts": LAST,
        "titles": TITLES, "types": TYPES, "urls": URLS, "nf": len(FIRST), "nl": len(LAST),
        "nt": len(TITLES), "nu": len(URLS),
    }  # fmt: skip
    for statement in (COMPANIES, PEOPLE, NEXT_ID, PROFILES, ACTIVITIES, LAST_SEEN):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
    yield f"{number} people"
    unheard = threshold_crossed.receivers
    threshold_crossed.receivers = []  # their rows are made below, in bulk and in all states
    try:
        yield from score_all(at)
    finally:
        threshold_crossed.receivers = unheard
    reps_and_stages(at)
    handoffs(at)
    deals(at)
    mails(at)
    yield "handoffs, deals and mails"


def score_all(at: datetime) -> Iterator[str]:
    # One in fifty was never scored.
    for ids in iter_id_chunks(
        Contact.objects.exclude(pk__in=Contact.objects.filter(pk__endswith="49"))
    ):
        with transaction.atomic():
            rescore(ids, at)
        yield f"scored up to {ids[-1]}"


def reps_and_stages(at: datetime) -> None:
    names = ("Kim Bauer", "Lee Santos", "Robin Achebe")
    Owner.objects.bulk_create(
        Owner(
            owner_id=str(n),
            name=name,
            email=f"{name.split()[0].lower()}@sales.example",
            seen_at=at,
            is_fallback=n == 3,
        )
        for n, name in enumerate(names, start=1)
    )
    stages = [("new", "New", 0.2, ""), ("talks", "In talks", 0.4, "none"), ("offer", "Offer made", 0.7, "pause"),
              ("won", "Won", 1.0, "stop"), ("lost", "Lost", 0.0, "stop")]  # fmt: skip
    Stage.objects.bulk_create(
        Stage(
            pipeline_id="p",
            pipeline="Sales",
            stage_id=key,
            label=label,
            position=n,
            probability=chance,
            closed=key in ("won", "lost"),
            won=key == "won",
            effect=effect,
            set_by="kim" if effect else "",
        )
        for n, (key, label, chance, effect) in enumerate(stages)
    )


def handoffs(at: datetime) -> None:
    """A row for each who crossed: most delivered, some under way, some stuck, some withdrawn."""
    rows = []
    crossed_ones = list(Score.objects.filter(cycle__gt=0).order_by("-pk"))
    for n, score in reversed(list(enumerate(crossed_ones))):
        crossed = at - timedelta(minutes=7 * n + 2)
        row = Handoff(
            contact_id=score.pk, cycle=score.cycle, reference=new_reference(), total=score.total,
            grade=score.grade, reasons=score.contributions, crossed_at=crossed, due_at=crossed, attempts=1,
            turn_at=queue_position(crossed, score.total),
        )  # fmt: skip
        if n % 9 == 4:
            row.status, row.reason = (
                "needs_attention",
                "No rep may take the lead: on the Reps page let an active rep take leads, then press Resend.",
            )
            row.record_id, row.attempts = f"9{score.pk:06}", 4
        elif n % 17 == 5:
            row.status, row.reason = "withdrawn", "Already a customer."
        elif n % 11 == 0:
            row.reason = "The CRM asks us to slow down; tried again in 10 seconds." if n else ""
        else:
            row.status, row.delivered_at, row.task_tried_at = (
                "delivered",
                crossed + timedelta(seconds=2),
                crossed,
            )
            row.record_id, row.task_id, row.owner_id = (
                f"9{score.pk:06}",
                f"7{score.pk:06}",
                str(1 + n % 3),
            )
            row.owner_reason = "Whoever takes leads: next in turn"
        rows.append(row)
    Handoff.objects.bulk_create(rows, batch_size=1000)
    HandoffTask.objects.bulk_create(
        (
            HandoffTask(
                handoff=row, seen_at=row.delivered_at, text_total=row.total, text_grade=row.grade
            )
            for row in rows
            if row.status == "delivered"
        ),
        batch_size=1000,
    )


def deals(at: datetime) -> None:
    """Every third delivered handoff has a deal, and the CRM was asked of everybody."""
    told = Handoff.objects.delivered().select_related("contact__company").order_by("pk")
    people = [row.contact for row in told][::3]
    keys = ["new", "talks", "offer", "won", "lost"]
    made = Deal.objects.bulk_create(
        Deal(
            deal_id=str(person.pk),
            name=f"{person.company}, {10 + n % 40} seats",
            pipeline_id="p",
            stage_id=keys[n % 5],
            amount=(10 + n % 40) * 240,
            closed=n % 5 > 2,
            won=n % 5 == 3,
            seen_at=at,
        )
        for n, person in enumerate(people)
    )
    pairs = zip(made, people, strict=True)
    through = Deal.contacts.through
    through.objects.bulk_create(through(deal_id=deal.pk, contact_id=one.pk) for deal, one in pairs)
    known = {person.pk for person in people}
    for ids in iter_id_chunks(Contact.objects.all(), 5000):
        with transaction.atomic():
            crm_state.store_states((state(pk, pk in known, at) for pk in ids), at)
    with transaction.atomic():
        recompute_states(known, at)
    for kind in CrmFreshness.Kind:
        CrmFreshness.objects.update_or_create(kind=kind, defaults={"as_of": at})


def state(pk: int, known: bool, at: datetime) -> CrmState:
    if not known:
        return CrmState(contact_id=pk, since=at, seen_at=at)
    return CrmState(
        contact_id=pk,
        since=at,
        seen_at=at,
        record_id=f"9{pk:06}",
        record_url=f"https://crm.example/contacts/9{pk:06}",
        owner_id="1",
        owner_name="Kim Bauer",
    )


TEXTS = [
    ("Welcome, {{ first_name|default:'there' }}", "Hello {{ first_name|default:'there' }},\n\ngood to have you here. Three things that **{{ company|default:'your team' }}** can try today:\n\n* connect your website\n* read what a score means\n* tell us who should get the leads\n\nKind regards"),
    ("Three ways to start", "Hello {{ first_name|default:'there' }},\n\nmost teams begin with [one rule](https://www.example.com/start). Which one is yours?"),
    ("How {{ company|default:'your team' }} compares", "Hello {{ first_name|default:'there' }},\n\nhere is what others in {{ country|default:'your country' }} do."),
]  # fmt: skip


def mails(at: datetime) -> None:
    """A third of all people are in a sequence."""
    nurture = Sequence.objects.create(name="Nurture", enter_when={"score__gte": 20})
    Sequence.objects.create(name="Win back", active=False)
    Step.objects.bulk_create(
        Step(
            sequence=nurture,
            position=n,
            wait=timedelta(days=3 * (n - 1)),
            subject=subject,
            body=body,
        )
        for n, (subject, body) in enumerate(TEXTS, start=1)
    )
    people = Contact.objects.filter(score__total__gte=12).order_by("pk")
    for ids in iter_id_chunks(people, 5000):
        enrolling.enroll_contacts(
            nurture, Contact.objects.filter(pk__in=ids[::2]), at - timedelta(days=4), "its rule"
        )
    sent(at)


def sent(at: datetime) -> None:
    """The first mail is with most of them; some wait, some are held back."""
    open_ones = list(Enrollment.objects.open().order_by("pk"))
    Delivery.objects.bulk_create(
        (
            Delivery(
                enrollment=row,
                position=1,
                email="somebody@example.com",
                subject="Welcome",
                claimed_at=at,
                message_id=f"<{row.pk}@crowd.example>",
                state="unclear" if row.contact_id % 50 == 0 else "sent",
                reason="The process that was sending it ended" if row.contact_id % 50 == 0 else "",
                sent_at=None if row.contact_id % 50 == 0 else at - timedelta(days=3),
            )
            for row in open_ones
            if row.contact_id % 5
        ),
        batch_size=5000,
    )
    Enrollment.objects.open().exclude(
        pk__in=[row.pk for row in open_ones if not row.contact_id % 5]
    ).update(next_position=2)
    Enrollment.objects.filter(state="active").filter(
        pk__in=[row.pk for row in open_ones[::8]]
    ).update(hold_reason="The CRM was last read 31 minutes ago; mail waits until it is read again")
