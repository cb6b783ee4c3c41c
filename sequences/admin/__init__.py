"""What marketers and ops see of sequences, who is in them, what was sent, and who is never written to."""

from sequences.admin import enrollments, mails, sections, sequences

__all__ = ["enrollments", "mails", "sections", "sequences"]
