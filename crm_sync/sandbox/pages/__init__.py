"""The pages for people."""

from ..door import Request, Response
from ..state import State


def answer(state: State, request: Request, host: str) -> Response:
    return Response(404, b"not found", {"Content-Type": "text/plain"})
