"""What marketers and ops see of people, scores and keys."""

from leadscoring.admin import access, people, scoring

__all__ = ["access", "people", "scoring"]
