"""A mail provider's events about sent mails: bounces and complaints.

A mail server that takes a mail may hear later that the address does not exist. Providers post
such events; django-anymail checks that they are theirs and translates them into words common to all.
"""

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.utils.timezone import now

from sequences.models import Suppression
from sequences.suppression import suppress_addresses

Reason = Suppression.Reason
REASONS = {
    EventType.BOUNCED: Reason.BOUNCED,
    EventType.COMPLAINED: Reason.UNSUBSCRIBED,
    EventType.UNSUBSCRIBED: Reason.UNSUBSCRIBED,
}
DETAILS = {
    EventType.BOUNCED: "It came back, says the mail provider",
    EventType.COMPLAINED: "They marked a mail as spam, says the mail provider",
    EventType.UNSUBSCRIBED: "They unsubscribed, says the mail provider",
}
# A mail also comes back from a full mailbox or a blocked server: not the address's fault.
FOR_GOOD = (RejectReason.INVALID, RejectReason.BOUNCED)


def on_provider_event(sender: object, event: AnymailTrackingEvent, **kwargs: object) -> None:
    """Record bounces and complaints. Opens and clicks are counted here already; the rest changes nothing."""
    reason = REASONS.get(event.event_type)
    if reason is None or not event.recipient:
        return
    if reason == Reason.BOUNCED and event.reject_reason not in FOR_GOOD:
        return
    suppress_addresses(
        [event.recipient], reason, now(), by="the mail provider", detail=DETAILS[event.event_type]
    )
