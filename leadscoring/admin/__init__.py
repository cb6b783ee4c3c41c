"""What marketers and ops see of people, scores and keys."""

from leadscoring.admin import access, erasures, people, scoring

__all__ = ["access", "erasures", "people", "scoring"]
