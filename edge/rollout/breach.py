"""Why a candidate has to go. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FALSE_ALARM = 1e-4
"""Of one test, in the whole life of a candidate whose claim holds."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A code of sync/refusals.py, and words for people."""

    code: str
    words: str
