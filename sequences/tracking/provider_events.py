"""What a mail provider tells of mails that left: who refused them, and who wants no more.

A mail server that takes a mail may still be told later that the address does not exist. Providers post
such news; django-anymail checks that they are theirs and puts them into words that are the same for all.
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
    """Opens and clicks are counted here already, and other news changes nothing."""
    reason = REASONS.get(event.event_type)
    if reason is None or not event.recipient:
        return
    if reason == Reason.BOUNCED and event.reject_reason not in FOR_GOOD:
        return
    suppress_addresses(
        [event.recipient], reason, now(), by="the mail provider", detail=DETAILS[event.event_type]
    )
