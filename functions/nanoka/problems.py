"""Errors as `application/problem+json` (RFC 9457)."""

import json
from http import HTTPStatus

from flask import Response

MEDIA_TYPE = "application/problem+json"
REPEATED = "X-Problem"
"""The header with the body of a 404 or 5xx once more, for the front: it replaces the bodies of such answers, which also
come from what lies between it and a function, and could not tell them apart."""


class Problem(Exception):  # noqa: N818 - RFC 9457's own term
    """A failure that the client is told: `status`, `detail` in words, and the `field` at fault if there is one."""

    def __init__(
        self, status: int, detail: str, *, field: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = HTTPStatus(status)
        self.detail = detail
        self.field = field
        self.headers = headers or {}

    def response(self) -> Response:
        body: dict[str, object] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        if self.field is not None:
            body["field"] = self.field
        headers = dict(self.headers)
        if self.status == HTTPStatus.NOT_FOUND or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            headers[REPEATED] = json.dumps(body)
        return Response(json.dumps(body, ensure_ascii=False), self.status.value, headers, content_type=MEDIA_TYPE)


def unknown_conversation() -> Problem:
    """One wording for what does not exist and for what is someone else's: existence is not told."""
    return Problem(404, "There is no such conversation.")


def unavailable(detail: str = "The database cannot be reached. Please try again in a moment.") -> Problem:
    return Problem(503, detail, headers={"Retry-After": "2"})
