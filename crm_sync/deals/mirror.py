"""The local mirror of the CRM's stages, reps and deals."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from crm_sync.deals.stage_policy import first_effect
from crm_sync.models import Deal, Owner, Stage
from crm_sync.port import CrmDeal, CrmOwner, CrmStage
from leadscoring.models import CRM_ID_LENGTH

# The limit and the precision of a Deal's amount column.
LARGEST, PLACES = Decimal(10) ** 16, Decimal("0.0001")


@transaction.atomic(savepoint=False)
def mirror_stages(stages: Sequence[CrmStage]) -> None:
    """Mirror the CRM's pipelines; effects that a person has set stay.

    A new pipeline gets first effects. A new stage in a known pipeline gets none, which holds mail
    until a person sets it. Stages that the CRM no longer lists are archived.
    """
    # The lock order of `set_effects`.
    locked = Stage.objects.select_for_update().order_by("pk")
    known = {(stage.pipeline_id, stage.stage_id): stage for stage in locked}
    pipelines = {pipeline_id for pipeline_id, _ in known}
    rows = [
        stage_row(
            stage,
            known.get((stage.pipeline_id[:CRM_ID_LENGTH], stage.stage_id[:CRM_ID_LENGTH])),
            new_pipeline=stage.pipeline_id not in pipelines,
        )
        for stage in stages
    ]
    Stage.objects.bulk_create(
        {(row.pipeline_id, row.stage_id): row for row in rows}.values(),
        update_conflicts=True,
        unique_fields=["pipeline_id", "stage_id"],
        update_fields=[
            "pipeline",
            "label",
            "former_label",
            "position",
            "probability",
            "closed",
            "won",
            "archived",
        ],
    )
    told = {(stage.pipeline_id, stage.stage_id) for stage in stages}
    left = [
        row.pk
        for row in Stage.objects.filter(archived=False)
        if (row.pipeline_id, row.stage_id) not in told
    ]
    Stage.objects.filter(pk__in=left).update(archived=True)


def stage_row(stage: CrmStage, before: Stage | None, *, new_pipeline: bool) -> Stage:
    effect = (
        first_effect(closed=stage.closed, probability=stage.probability) if new_pipeline else ""
    )
    return Stage(
        pipeline_id=stage.pipeline_id[:CRM_ID_LENGTH],
        pipeline=stage.pipeline[:200],
        stage_id=stage.stage_id[:CRM_ID_LENGTH],
        label=stage.label[:200],
        former_label=former_label(stage, before),
        position=stage.position,
        probability=stage.probability,
        closed=stage.closed,
        won=stage.won,
        archived=stage.archived,
        effect=effect,
        set_by="first seen" if effect else "",
    )


def former_label(stage: CrmStage, before: Stage | None) -> str:
    """Return the stage's first label, kept until its effect is set again; "" when it is still the label."""
    if before is None:
        return ""
    first = before.former_label or before.label
    return "" if first == stage.label[:200] else first


def mirror_owners(owners: Iterable[CrmOwner], at: datetime) -> None:
    """Mirror the CRM's users; one that it no longer lists becomes inactive."""
    rows = {
        owner.owner_id: Owner(
            owner_id=owner.owner_id,
            name=owner.name[:200],
            email=owner.email[:254],
            active=owner.active,
            seen_at=at,
        )
        for owner in owners
    }
    with transaction.atomic():
        # The lock order of routing: another order could deadlock with it.
        list(Owner.objects.select_for_update().order_by("pk").values_list("pk"))
        Owner.objects.bulk_create(
            rows.values(),
            update_conflicts=True,
            unique_fields=["owner_id"],
            update_fields=["name", "email", "active", "seen_at"],
        )
        Owner.objects.exclude(owner_id__in=list(rows)).update(active=False)


def deal_row(deal: CrmDeal, at: datetime) -> Deal:
    return Deal(
        deal_id=deal.deal_id,
        name=deal.name[:300],
        pipeline_id=deal.pipeline_id[:CRM_ID_LENGTH],
        stage_id=deal.stage_id[:CRM_ID_LENGTH],
        owner_id=deal.owner_id[:CRM_ID_LENGTH],
        amount=parse_amount(deal.amount),
        closed=deal.closed,
        won=deal.won,
        changed_at=deal.changed_at,
        made_at=deal.made_at,
        lost_reason=deal.lost_reason[:300],
        seen_at=at,
    )


def parse_amount(text: str) -> Decimal | None:
    """Parse an amount as the CRM wrote it; None when the column cannot hold it."""
    try:
        value = Decimal(text).quantize(PLACES)
        return value if abs(value) < LARGEST else None
    except ArithmeticError:  # not a number, or one that cannot be compared or rounded
        return None


def mirror_deals(deals: dict[int, Sequence[CrmDeal]], at: datetime) -> int:
    """Replace the mirrored deals of contacts by these, by contact id; return the number of deals.

    Call inside a transaction, with the contacts locked.
    """
    rows = {deal.deal_id: deal_row(deal, at) for found in deals.values() for deal in found}
    Deal.objects.bulk_create(
        [rows[deal_id] for deal_id in sorted(rows)],
        update_conflicts=True,
        unique_fields=["deal_id"],
        update_fields=[
            "name",
            "pipeline_id",
            "stage_id",
            "owner_id",
            "amount",
            "closed",
            "won",
            "changed_at",
            "made_at",
            "lost_reason",
            "seen_at",
        ],
    )
    ids = dict(Deal.objects.filter(deal_id__in=rows).values_list("deal_id", "pk"))
    set_deal_contacts(
        deals.keys(),
        {(contact_id, ids[d.deal_id]) for contact_id, found in deals.items() for d in found},
    )
    return len(rows)


def set_deal_contacts(contact_ids: Collection[int], wanted: set[tuple[int, int]]) -> None:
    """Make the (contact, deal) pairs of contacts exactly the wanted ones; delete orphaned deals."""
    through = Deal.contacts.through
    there = through.objects.filter(contact_id__in=contact_ids)
    pairs = {(row.contact_id, row.deal_id): row.pk for row in there}
    lost = pairs.keys() - wanted
    through.objects.filter(pk__in=[pairs[pair] for pair in lost]).delete()
    through.objects.bulk_create(
        [
            through(contact_id=contact, deal_id=deal)
            for contact, deal in sorted(wanted - pairs.keys())
        ],
        ignore_conflicts=True,
    )
    Deal.objects.filter(pk__in={deal for _, deal in lost}, contacts=None).delete()
