"""Browsers that change hands: what each of two people did there stays theirs, also when it comes at once. Pure."""

from collections.abc import Iterator, Mapping

from leadscoring.intake.segment import Event

MOST_CHANGES = 10  # in one batch; what is behind the last of them comes in as one


def split_at_changes(
    events: Mapping[int, Event], holders: Mapping[str, set[str]]
) -> Iterator[dict[int, Event]]:
    """Yield a batch in parts such that no browser changes hands within one.

    `holders`: by anonymous id, the user id and the address of whom it belongs to by now.
    """
    held = {browser: set(names) for browser, names in holders.items()}
    part: dict[int, Event] = {}
    changes = 0
    for place, event in events.items():
        names = {event.email, event.user_id} - {""}
        changed = False
        for browser in {event.anonymous_id, event.previous_id} - {""} if names else ():
            before = held.get(browser, set())
            changed |= bool(before) and not before & names
            held[browser] = before | names if before & names else names
        if changed and changes < MOST_CHANGES:
            changes += 1
            yield part
            yield {place: event}
            part = {}
        else:
            part[place] = event
    yield part
