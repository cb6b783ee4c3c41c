"""What marketers and ops see of people, scores and keys."""

from leadscoring.admin import (
    access,
    access_log,
    activity_types,
    autocomplete,
    erasures,
    forms,
    imports,
    people,
    scoring,
    sources,
    websites,
)

__all__ = [
    "access",
    "access_log",
    "activity_types",
    "autocomplete",
    "erasures",
    "forms",
    "imports",
    "people",
    "scoring",
    "sources",
    "websites",
]
