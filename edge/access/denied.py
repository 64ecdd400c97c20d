"""Why somebody is not let in, or may not do what they asked for. Pure."""

from __future__ import annotations

from typing import Literal

Code = Literal[
    "wrong",
    "wait",
    "signed_out",
    "locked",
    "pin_needed",
    "pin_new",
    "not_allowed",
    "no_token",
    "foreign_origin",
    "foreign_host",
    "too_large",
    "nonsense",
    "unknown",
    "busy",
    "weak_pin",
    "taken",
    "last_lead",
]
STATUS: dict[Code, int] = {
    "wrong": 401,
    "wait": 429,
    "signed_out": 401,
    "locked": 423,
    "pin_needed": 403,
    "pin_new": 403,
    "not_allowed": 403,
    "no_token": 403,
    "foreign_origin": 403,
    "foreign_host": 421,
    "too_large": 413,
    "nonsense": 400,
    "unknown": 404,
    "busy": 503,
    "weak_pin": 422,
    "taken": 409,
    "last_lead": 409,
}
"""The HTTP status of each."""


class Denied(Exception):
    """Nothing was done. The page says `denied.<code>` in the person's language.

    `wait_s` is how long to wait where time mends it. The message is for the log and programs; it
    never holds what somebody typed.
    """

    def __init__(self, code: Code, message: str = "", wait_s: float = 0.0) -> None:
        super().__init__(message or code)
        self.code = code
        self.wait_s = wait_s

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.code]
