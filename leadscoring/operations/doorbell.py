"""The class of all tasks: each is a doorbell, so one that cannot be answered now is skipped."""

import logging

from celery import Task

log = logging.getLogger(__name__)


class Doorbell(Task):  # type: ignore[misc] # Celery ships no types
    """A task that does nothing while code and tables do not fit each other; it is sent again."""

    abstract = True

    def __call__(self, *args: object, **kwargs: object) -> object:
        from leadscoring.operations import schema  # Django is set up later than this is imported

        if reason := schema.mismatch():
            log.warning("%s waits: %s", self.name, reason)
            return None
        return super().__call__(*args, **kwargs)
