"""Why the queue does not do what it was asked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Code = Literal[
    "unknown",
    "claimed",
    "expired",
    "answered",
    "too_late",
    "wrong_picture",
    "replayed",
    "not_allowed",
    "not_now",
    "nonsense",
]
STATUS: dict[Code, int] = {
    "unknown": 404,
    "claimed": 409,
    "expired": 409,
    "answered": 409,
    "too_late": 409,
    "wrong_picture": 409,
    "replayed": 409,
    "not_allowed": 403,
    "not_now": 503,
    "nonsense": 422,
}
"""The HTTP status of each."""


class Refused(Exception):
    """Nothing was recorded. `code` is for programs, the message for the log; the page says it in
    the person's language (`refused.<code>` in the texts) with what is in `facts`."""

    def __init__(self, code: Code, message: str, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.facts = dict(facts or {})

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.code]
