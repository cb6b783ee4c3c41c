"""Faults by name: what each does in a sentence, and the answer it gives.

Sources of the answers: HubSpot's page on errors and its usage guidelines.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .faults import Fault
from .pace import limit_body
from .refusals import Refusal

# What a POST may say besides the name.
OWN = {"share", "match", "times", "seconds"}
BAD_GATEWAY = (
    "<!doctype html><html><head><title>502 Bad Gateway</title></head>"
    "<body><h1>502 Bad Gateway</h1><p>cloudflare</p></body></html>"
)
TIMED_OUT = (
    "<!doctype html><html><head><title>524: A timeout occurred</title></head>"
    "<body><h1>Error 524</h1><p>The origin web server timed out.</p></body></html>"
)


@dataclass(frozen=True, slots=True)
class Dial:
    """`fault`: the fields of the Fault it makes. `in_storm`: whether a storm may strike with it."""

    name: str
    group: str
    label: str
    sentence: str
    fault: Mapping[str, Any] = field(default_factory=dict)
    in_storm: bool = True

    @property
    def has_seconds(self) -> bool:
        return "seconds" in self.fault

    def made(self, **more: Any) -> Fault:
        """Strikes until it is turned off, unless `times` says how often."""
        unknown = more.keys() - OWN
        if unknown:
            raise ValueError(f"{unknown.pop()} cannot be set for a fault with a name")
        return Fault(**{**self.fault, "times": None, **more, "name": self.name})


def _network() -> Iterator[Dial]:
    yield Dial(
        "drop_before",
        "Network",
        "Cut before the work",
        "The connection ends and nothing was done.",
        {"kind": "drop_before"},
    )
    yield Dial(
        "drop_after",
        "Network",
        "Cut after the work",
        "The work is done, and the connection ends without an answer.",
        {"kind": "drop_after"},
    )
    yield Dial(
        "slow",
        "Network",
        "Slow",
        "The work is done late, and so comes the answer.",
        {"kind": "slow", "seconds": 12.0},
    )
    yield Dial(
        "dripping",
        "Network",
        "Dripping",
        "The work is done at once; the end of the answer comes byte by byte.",
        {"kind": "dripping", "seconds": 30.0},
    )
    yield Dial(
        "garbage",
        "Network",
        "Garbage",
        "The work is done; the answer says so in what is no JSON.",
        {"kind": "garbage"},
    )


def _servers() -> Iterator[Dial]:
    """A 5xx leaves open whether the work was done: each is there both ways."""
    internal = Refusal(500, "INTERNAL_ERROR", "There was a problem with the request.").body()
    busy = Refusal(503, "SERVICE_UNAVAILABLE", "The service is temporarily unavailable.").body()
    late = Refusal(504, "GATEWAY_TIMEOUT", "The request took too long to be processed.").body()
    for name, status, label, body in (
        ("server_error", 500, "500 internal error", internal),
        ("bad_gateway", 502, "502 bad gateway", BAD_GATEWAY),
        ("unavailable", 503, "503 unavailable", busy),
        ("gateway_timeout", 504, "504 gateway timeout", late),
        ("origin_timeout", 524, "524 timed out", TIMED_OUT),
    ):
        how = "an HTML page" if isinstance(body, str) else "HubSpot's error"
        answer = {"status": status, "body": body}
        yield Dial(
            name,
            "Servers",
            label,
            f"Answered with {how}, and nothing was done.",
            {"kind": "status"} | answer,
        )
        yield Dial(
            f"{name}_after",
            "Servers",
            f"{label}, but done",
            f"Answered with {how}, although the work is done.",
            {"kind": "status_after"} | answer,
        )


def _limits() -> Iterator[Dial]:
    for name, policy, label, wait in (
        ("ten_secondly", "TEN_SECONDLY_ROLLING", "429: too many in ten seconds", 10),
        ("secondly", "SECONDLY", "429: too many in a second", 1),
    ):
        refused = {"kind": "status", "status": 429, "body": limit_body(policy)}
        sentence = f"Refused as {policy}, whatever the pace was"
        yield Dial(name, "Limits", label, f"{sentence}; no word on when to come back.", refused)
        yield Dial(
            f"{name}_retry_after",
            "Limits",
            f"{label}, with Retry-After",
            f"{sentence}; Retry-After says {wait} s.",
            refused | {"headers": {"Retry-After": str(wait)}},
        )
    # Not in a storm: a day that is used up does not come back with the next request.
    yield Dial(
        "daily",
        "Limits",
        "429: too many today",
        "Refused as DAILY, now and then. A day that is really over has a switch of its own.",
        {"kind": "status", "status": 429, "body": limit_body("DAILY")},
        in_storm=False,
    )


def _account() -> Iterator[Dial]:
    moving = Refusal(477, "MIGRATION_IN_PROGRESS", "This account is being moved.").body()
    yield Dial(
        "migrating",
        "Account",
        "477: account on the move",
        "Refused while the account moves to another data centre; Retry-After says 3 s.",
        {"kind": "status", "status": 477, "body": moving, "headers": {"Retry-After": "3"}},
    )


def _records() -> Iterator[Dial]:
    locked = Refusal(423, "LOCKED", "The resource is locked; try again in two seconds.").body()
    yield Dial(
        "locked",
        "Records",
        "423: locked",
        "The records are being changed by something else for the next two seconds.",
        {"kind": "status", "status": 423, "body": locked},
    )
    failed = {"category": "INTERNAL_ERROR", "message": "There was a problem with this input."}
    yield Dial(
        "partial",
        "Records",
        "207: some inputs fail",
        "Every third input of a batch fails this time; the others are really done.",
        {"kind": "partial", "body": failed},
    )
    # Not in a storm: HubSpot refuses a value again and again, not by chance.
    refused = {"category": "VALIDATION_ERROR", "message": "This input is not valid."}
    yield Dial(
        "partial_refused",
        "Records",
        "207: some inputs are refused",
        "Every third input of a batch is called invalid; the others are really done.",
        {"kind": "partial", "body": refused},
        in_storm=False,
    )


DIALS = {
    dial.name: dial
    for dials in (_network, _servers, _limits, _account, _records)
    for dial in dials()
}


def stormy() -> list[Fault]:
    """What a storm strikes with."""
    return [dial.made() for dial in DIALS.values() if dial.in_storm]
