"""Pages of sequences, enrollments, mails and suppressions, for marketers and ops."""

from sequences.admin import enrollments, mails, sections, sequences

__all__ = ["enrollments", "mails", "sections", "sequences"]
