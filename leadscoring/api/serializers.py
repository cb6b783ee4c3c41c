"""A contact and a score as JSON."""

from datetime import datetime
from typing import Any

from leadscoring import extensions
from leadscoring.access_log import note_people
from leadscoring.engine import Contribution, ScoreResult
from leadscoring.models import Contact, CrmState, ModelVersion, Score
from leadscoring.scoring import profile_of


def contact_json(contact: Contact, at: datetime) -> dict[str, Any]:
    """Return all that is known of a contact here, with what the upper apps add."""
    note_people([contact.pk])
    described: dict[str, Any] = {
        "id": contact.pk,
        **profile_of(contact),
        "email": contact.email,
        "external_id": contact.external_id,
        "identifiers": list(
            contact.identifiers.order_by("source", "value").values("source", "value")
        ),
        "properties": contact.properties,
        "lifecycle_stage": contact.lifecycle_stage,
        "last_activity_at": contact.last_activity_at,
        "created_at": contact.created_at,
        "updated_at": contact.updated_at,
        "score": _score_figures(getattr(contact, "score", None)),
        "crm": _crm_json(getattr(contact, "crm_state", None)),
        "enrollments": [],
        "handoffs": [],
    }
    for name, details in extensions.contact_details.items():
        described[name] = details(contact, at)
    return described


def _score_figures(score: Score | None) -> dict[str, Any]:
    return {
        name: getattr(score, name, None) for name in ("total", "fit", "engagement", "grade", "at")
    }


def _crm_json(state: CrmState | None) -> dict[str, Any]:
    owned = state is not None and state.owner_id
    return {
        "record_id": (state and state.record_id) or None,
        "owner": {"id": state.owner_id, "name": state.owner_name, "email": state.owner_email}
        if state and owned
        else None,
        "effect": state and state.effect,
        "because": state and state.reason,
        "deals": state.deals if state else [],
        "seen_at": state and state.seen_at,
    }


def score_json(
    contact: Contact, scored: ScoreResult, version: ModelVersion, at: datetime
) -> dict[str, Any]:
    note_people([contact.pk])
    stored: Score | None = getattr(contact, "score", None)
    return {
        "total": scored.total,
        "fit": scored.fit,
        "engagement": scored.engagement,
        "grade": scored.grade,
        "at": at,
        "model": {"name": version.name, "version": version.version},
        "contributions": [_contribution_json(each) for each in scored.contributions],
        "qualification": {
            "armed": stored.armed if stored else True,
            "cycle": stored.cycle if stored else 0,
        },
    }


def _contribution_json(contribution: Contribution) -> dict[str, Any]:
    told = contribution.as_dict()
    del told["label"]  # `because` begins with it
    return told
