"""Which mails of a week were wrong: from the log alone, and without anything of the product.

A mail is wrong when the CRM forbade it all the time since longer than the bound, or when the CRM was
last read longer ago than that. A person who was allowed a mail within the bound may still get one: that
is the promise, and no more is claimed. Deletions are in no search: docs/freshness.md promises a look
at whoever is about to be mailed at each poll, so theirs is the bound and a poll.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

Said = Sequence[tuple[datetime, str]]


@dataclass(frozen=True, slots=True)
class Mail:
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Log:
    """`said`: by address, what the CRM says from an instant on; see `Sales`. `reads`: when the CRM was
    read, each at its beginning. `bound`: how old what is known may be. `poll`: between two reads.
    """

    mails: Sequence[Mail]
    said: Mapping[str, Said]
    reads: Sequence[datetime]
    bound: timedelta
    poll: timedelta


def wrong_mails(log: Log) -> list[str]:
    """A sentence for each wrong mail."""
    return [f"{mail.at:%a %H:%M:%S} {mail.address}: {why}" for mail in log.mails if (why := what_is_wrong(log, mail))]  # fmt: skip


def what_is_wrong(log: Log, mail: Mail) -> str:
    before = bisect_right(log.reads, mail.at)
    if not before or mail.at - log.reads[before - 1] > log.bound:
        return "the CRM was read too long ago"
    since, because = forbidden_since(log.said.get(mail.address, ()), mail.at)
    late = log.bound + (log.poll if because == "is deleted" else timedelta(0))
    return f"{because} since {since:%a %H:%M:%S}" if since and mail.at - since > late else ""


def forbidden_since(said: Said, at: datetime) -> tuple[datetime | None, str]:
    """Since when the CRM has forbidden mail without a break, and the last reason; None: it does not."""
    since, last = None, ""
    for begun, because in until(said, at):
        since = None if not because else (since or begun)
        last = because
    return since, last


def until(said: Said, at: datetime) -> Iterator[tuple[datetime, str]]:
    return ((begun, because) for begun, because in said if begun <= at)
