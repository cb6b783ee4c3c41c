"""HTTP in and out. `/api/v1/docs` describes it."""

import logging
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.timezone import now
from ninja import NinjaAPI
from ninja.errors import AuthenticationError
from ninja.openapi.docs import ABS_TPL_PATH, Swagger
from ninja.params.functions import Query

from leadscoring import api_keys, intake, scoring
from leadscoring.api import errors, schemas, serializers
from leadscoring.api.auth import ApiKeyAuth, count_events
from leadscoring.api.body import read_items
from leadscoring.api.errors import ApiError
from leadscoring.intake import TakenActivities, TakenContacts, validation
from leadscoring.intake.sources import record_sent
from leadscoring.intake.validation import InvalidItem
from leadscoring.models import Contact

log = logging.getLogger(__name__)
LARGEST_ID = 2**63 - 1


class LocalSwagger(Swagger):
    """The documentation with scripts that are served here: no other site is asked."""

    template_cdn = str(ABS_TPL_PATH / "swagger.html")


api = NinjaAPI(
    docs=LocalSwagger(),
    title="Lead scoring with CRM handoff",
    version="1",
    description="People and what they do come in; scores with their reasons come out. "
    "Times are ISO 8601 with an offset. One bad item never spoils the others.",
    auth=ApiKeyAuth(),
)
api.add_router("", "crm_sync.api.router")  # by name only: imports point down


@api.post(
    "/contacts",
    response={200: schemas.ContactsTakenOut, **schemas.POST_ERRORS},
    openapi_extra=schemas.PERSON,
)
def post_contacts(request: HttpRequest) -> HttpResponse:
    """Make people known or bring them up to date: one object, or an array of at most 1,000."""
    items, at = read_items(request), now()
    count_events(request.auth, len(items), at)  # type: ignore[attr-defined]  # set by ninja
    taken = intake.take_contacts(items, at)
    record_sent(request.auth.name, "contact", items, taken.rejected, at)  # type: ignore[attr-defined]  # set by ninja
    counts = {name: getattr(taken, name) for name in ("created", "updated", "unchanged")}
    return _intake_response(taken, counts)


@api.post(
    "/activities",
    response={200: schemas.ActivitiesTakenOut, **schemas.POST_ERRORS},
    openapi_extra=schemas.ACTIVITY,
)
def post_activities(request: HttpRequest) -> HttpResponse:
    """Tell what people did. When the answer arrives it is stored and the scores are up to date."""
    key: Any = request.auth  # type: ignore[attr-defined]  # set by ninja
    others = api_keys.SourcesOfOthers(key)
    items, at = read_items(request), now()
    count_events(key, len(items), at)
    taken = intake.take_activities(items, key.name, at, others=others)
    record_sent(key.name, "activity", items, taken.rejected, at)
    return _intake_response(taken, {"accepted": taken.accepted, "duplicates": taken.duplicates})


def _intake_response(
    taken: TakenContacts | TakenActivities, counts: dict[str, int]
) -> HttpResponse:
    rejected = [
        {"index": one.index, "field": one.field, "message": one.message} for one in taken.rejected
    ]
    if taken.taken:
        return JsonResponse({**counts, "rejected": rejected})
    fields = {one.field: one.message for one in reversed(taken.rejected)}
    message = "No item could be taken." if rejected else "The array is empty."
    return errors.error_response(422, "nothing_taken", message, fields, rejected=rejected)


@api.get("/contacts/{path:who}/score", response={200: schemas.ScoreOut, **schemas.ERRORS})
def get_score(
    request: HttpRequest, who: str, at: str = Query("", format="date-time")
) -> HttpResponse:
    """What a contact (id or email) was worth at an instant (default: now), reason by reason.

    Before the contact was known and had done anything it is 0, without a reason.
    """
    try:
        instant = validation.parse_instant(at) if at else now()
    except ValueError as wrong:
        raise ApiError(422, "invalid", f"at {wrong}.", {"at": str(wrong)}) from None
    contact = _find_contact(who)
    scored, version = scoring.score_at(contact, instant)
    return JsonResponse(serializers.score_json(contact, scored, version, instant))


@api.get("/contacts", response={200: schemas.ContactOut, **schemas.ERRORS})
def find_contact(request: HttpRequest, external_id: str = "", id_source: str = "") -> HttpResponse:
    """All that is known of the contact of an id; `id_source`: whose id, if not the company's own."""
    if not external_id:
        raise ApiError(422, "invalid", "external_id is missing.", {"external_id": "is missing"})
    try:
        named = validation.validate_person({"external_id": external_id, "id_source": id_source})
    except InvalidItem as wrong:
        raise ApiError(422, "invalid", f"{wrong}.", {wrong.field: wrong.message}) from None
    source, value = named.identifier or ("", "")
    contacts = Contact.objects.select_related("company", "score", "crm_state")
    if source:
        found = Q(identifiers__source=source, identifiers__value=value)
        contact = contacts.filter(found).first()
        if contact is None and source == settings.CRM:
            contact = contacts.filter(crm_state__record_id=value).first()
    else:
        contact = contacts.filter(external_id=value).first()
        contact = contact or contacts.filter(aliases__external_id=value).first()
    if contact is None:
        raise ApiError(404, message="There is no such contact.")
    return JsonResponse(serializers.contact_json(contact, now()))


@api.get("/contacts/{path:who}", response={200: schemas.ContactOut, **schemas.ERRORS})
def get_contact(request: HttpRequest, who: str) -> HttpResponse:
    """All that is known of a contact, by id or email."""
    return JsonResponse(serializers.contact_json(_find_contact(who), now()))


def _find_contact(who: str) -> Contact:
    """Return the contact of an id (digits only) or an e-mail address. Raise ApiError 404."""
    contacts = Contact.objects.select_related("company", "score", "crm_state")
    if who.isascii() and who.isdigit():
        number = min(int(who[:20]), LARGEST_ID)
        named, once = Q(pk=number), Q(aliases__number=number)
    else:
        email = _email_or_404(who)
        named, once = Q(email=email), Q(aliases__email=email)
    contact = contacts.filter(named).first() or contacts.filter(once).first()
    if contact is None:
        raise ApiError(404, message="There is no such contact.")
    return contact


def _email_or_404(text: str) -> str:
    try:
        return validation.normalize_email(text)
    except ValueError:
        raise ApiError(404, message="There is no such contact.") from None


# --- errors -----------------------------------------------------------------------------------
@api.exception_handler(ApiError)
def on_api_error(request: HttpRequest, error: ApiError) -> HttpResponse:
    return error.response()


@api.exception_handler(AuthenticationError)
def on_unauthorized(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return ApiError(401).response()


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def on_database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    return errors.database_away(error)
