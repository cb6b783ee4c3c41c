"""What the contract prints, to the letter, and a model under which people go to sales."""

from collections.abc import Mapping
from typing import Any

MODEL = """\
name: default
thresholds: {mql: 40, handoff: 70, rearm_below: 55, cooldown_days: 30}
caps: {fit: 50, engagement: 50}
grades: {fit: [40, 25, 10], engagement: [40, 25, 10]}      # lower bounds of A, B, C and of 1, 2, 3
rules:
  - key: pricing-page
    label: Visited pricing
    group: engagement
    when: {activity: page_view, where: {url__contains: /pricing}}
    points: 15
    half_life_days: 14         # none: no decay
    window_days: 90            # none: for ever
    at_most: {count: 3, per_days: 7}
    cap: 30
  - key: senior-title
    label: Senior job title
    group: fit
    when: {profile: {job_title__icontains: [vp, head, chief]}}
    points: 20
  - key: competitor
    disqualify: true
    when: {profile: {email_domain__in: [rival.example]}}
"""

SEQUENCE = """\
name: nurture
enter_when: {score__gte: 20}        # also lifecycle__in, activity; none: only by hand
steps:
  - {wait: 0 days, subject: "Welcome, {{ first_name|default:'there' }}", body: "Hello {{ first_name|default:'there' }}, …"}
  - {wait: 3 days, subject: "Three ways to start", body: "…"}      # body: Markdown with merge fields
"""

# The printed model gives 50 at most. Here: fit 42 (A), a demo 30, so 72 (A2) and over the threshold.
SELLING = """\
name: default
thresholds: {mql: 40, handoff: 70, rearm_below: 55, cooldown_days: 0}
caps: {fit: 50, engagement: 50}
grades: {fit: [40, 25, 10], engagement: [40, 25, 10]}
rules:
  - {key: demo, label: Asked for a demo, group: engagement, when: {activity: demo_request}, points: 30}
  - {key: pricing, label: Visited pricing, group: engagement, when: {activity: page_view}, points: 5}
  - {key: webinar, label: Attended a webinar, group: engagement, when: {activity: webinar}, points: 7}
  - {key: no, label: Said no, group: engagement, when: {activity: said_no}, points: -40}
  - {key: senior, label: Senior job title, group: fit, when: {profile: {job_title__icontains: chief}}, points: 25}
  - {key: size, label: Company of 50 or more, group: fit, when: {profile: {size__gte: 50}}, points: 17}
"""

PERSON = {"job_title": "Chief of Staff", "company": "Alder", "properties": {"size": 120}}

SETTINGS = [
    "SECRET_KEY",
    "DEBUG",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "BASE_URL",
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "DEFAULT_FROM_EMAIL",
    "HUBSPOT_ACCESS_TOKEN",
    "HUBSPOT_BASE_URL",
    "HUBSPOT_CLIENT_SECRET",
    "HUBSPOT_REQUESTS_PER_10S",
    "CRM_POLL_SECONDS",
    "CRM_MAX_AGE_SECONDS",
    "SENTRY_DSN",
]

TEXT, NUMBER = str, (int, float)
MAYBE = (str, type(None))

SCORE = {
    "total": NUMBER,
    "fit": NUMBER,
    "engagement": NUMBER,
    "grade": TEXT,
    "at": TEXT,
}
EXPLAINED = SCORE | {"model": dict, "contributions": list, "qualification": dict}
CONTRIBUTION = {
    "rule": TEXT,
    "group": TEXT,
    "points": NUMBER,
    "count": int,
    "last_at": MAYBE,
    "because": TEXT,
}
CRM = {
    "record_id": MAYBE,
    "owner": (dict, type(None)),
    "effect": MAYBE,
    "because": MAYBE,
    "deals": list,
    "seen_at": MAYBE,
}
DEAL = dict.fromkeys(("id", "name", "pipeline", "stage", "effect"), TEXT)
ENROLLMENT = {"sequence": TEXT, "state": TEXT, "because": TEXT, "sent": int, "next_at": MAYBE}
HANDOFF = {
    "id": int,
    "contact": int,
    "email": MAYBE,
    "cycle": int,
    "score": NUMBER,
    "status": TEXT,
    "because": TEXT,
    "attempts": int,
    "crossed_at": TEXT,
    "delivered_at": MAYBE,
    "record_id": MAYBE,
    "task_id": MAYBE,
    "owner_id": MAYBE,
    "reference": TEXT,
}
CALL = {"method": TEXT, "path": TEXT, "purpose": TEXT, "retry": bool, "limit": TEXT}
PROBLEM = {"severity": TEXT, "what": TEXT, "fix": TEXT}
AUDIT = {
    "calls": list,
    "fields_sent": list,
    "fields_read": list,
    "token": dict,
    "last_pull_at": MAYBE,
    "problems": list,
}
COMPARISON = {
    "crossed": int,
    "delivered": int,
    "waiting": int,
    "needs_attention": int,
    "withdrawn": int,
    "found": int,
    "missing": list,
    "duplicate": list,
    "unknown": list,
}
CONTACT = {
    "id": int,
    "email": MAYBE,
    "external_id": MAYBE,
    "first_name": TEXT,
    "last_name": TEXT,
    "company": TEXT,
    "job_title": TEXT,
    "phone": TEXT,
    "country": TEXT,
    "properties": dict,
    "score": dict,
    "crm": dict,
    "enrollments": list,
    "handoffs": list,
}


def has(value: dict[str, object], shape: Mapping[str, Any], more: bool = False) -> bool:
    """Whether a JSON object has these keys, no others unless `more`, with values of these types."""
    keys = value.keys() >= shape.keys() if more else value.keys() == shape.keys()
    return keys and all(isinstance(value[name], kind) for name, kind in shape.items())
