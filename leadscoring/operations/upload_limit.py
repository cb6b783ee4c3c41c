"""No request brings a file larger than the largest that anything here takes, whoever sends it to whatever page."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

MOST_BYTES = 52 * 1024 * 1024  # a file of 50 MB and the form around it


class BoundedUpload(FileUploadHandler):
    """Stands before Django's own, which keep what comes in memory or a temporary file."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any
    ) -> None:
        """Refuse before a byte is read. Without a length nothing is read at all."""
        if content_length > MOST_BYTES:
            raise RequestDataTooBig("The file is too large.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
