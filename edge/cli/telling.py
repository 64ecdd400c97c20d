"""The story of a part in sentences."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from edge.telling import phrases, say

if TYPE_CHECKING:
    from edge.store.archive import Story
    from edge.web.texts import Words


def paragraph(story: Story, zone: str) -> str:
    """Everything that an auditor asks about one inspection, in one paragraph."""
    words = _words()
    return " ".join(say(words, phrase) for phrase in phrases(story, ZoneInfo(zone)))


@lru_cache(maxsize=1)
def _words() -> Words:
    from edge.web.texts import FIRST, Texts

    return Texts().of(FIRST)
