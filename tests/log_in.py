"""For the tests of log-in: somebody with a password, the form, and no counts of former tests."""

import os
from typing import Any

from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.auth.models import User
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client
from redis import Redis

from leadscoring.common import throttle_cache
from leadscoring.common.outage import OutageMemory
from leadscoring.log_in import events

PASSWORD = "long enough and odd"
PAGE = "/admin/login/"


def forget_tries() -> None:
    redis = Redis.from_url(os.environ["REDIS_URL"])
    for key in redis.scan_iter("*allauth*"):
        redis.delete(key)
    throttle_cache.redis_outage = OutageMemory(seconds=5.0)
    events.redis_outage = OutageMemory(seconds=5.0)
    LocMemCache("throttle", {}).clear()


def somebody(name: str = "ada", **fields: Any) -> User:
    return User.objects.create_user(name, password=PASSWORD, **({"is_staff": True} | fields))


def send(client: Client, name: str = "ada", password: str = PASSWORD, **fields: Any) -> Any:
    headers = fields.pop("headers", None)
    form = {"username": name, "password": password, **fields}
    return client.post(PAGE, form, headers=headers)


def is_in(client: Client) -> bool:
    return bool(client.get("/admin/password_change/").status_code == 200)


def code_now(secret: str) -> str:
    """The code that an app shows now."""
    counters = list(yield_hotp_counters_from_time())
    return format_hotp_value(hotp_value(secret, counters[len(counters) // 2]))


def set_up_app(client: Client) -> str:
    """Set an app up as the page asks for it; answers its secret."""
    page = client.get("/admin/account/app/add/")
    secret = str(page.context["form"].secret)
    done = client.post("/admin/account/app/add/", {"code": code_now(secret)})
    assert done.status_code == 302, done.content.decode()
    return secret
