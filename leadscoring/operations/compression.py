"""Answers of text are sent compressed; files that are compressed already are left alone."""

import re

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

TEXT = re.compile(r"text/|application/(json|javascript|manifest\+json)|image/svg")
# Shorter ones gain less than they cost: most answers of the API are.
LEAST = 1_000


class CompressText(GZipMiddleware):
    """Django's, which pads at random so that lengths tell nothing (BREACH), for text alone."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        # A part of a file (206) is counted in its own bytes, and HEAD has no body to compress.
        if request.method == "HEAD" or response.status_code == 206:
            return response
        if isinstance(response, HttpResponse) and len(response.content) < LEAST:
            return response
        if not TEXT.match(response.headers.get("Content-Type", "")):
            return response
        return super().process_response(request, response)
