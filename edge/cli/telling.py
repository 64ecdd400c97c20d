"""The story of a part in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from edge.telling import phrases, say

if TYPE_CHECKING:
    from edge.store.archive import Story
    from edge.web.texts import Words


def paragraph(story: Story, zone: str, said: Iterable[Mapping[str, Any]] = ()) -> str:
    """Everything that an auditor asks about one inspection, in one paragraph. `said` are the
    answers and corrections about it."""
    words = _words()
    return " ".join(say(words, phrase) for phrase in phrases(story, ZoneInfo(zone), said))


@lru_cache(maxsize=1)
def _words() -> Words:
    from edge.web.texts import FIRST, Texts

    return Texts().of(FIRST)
