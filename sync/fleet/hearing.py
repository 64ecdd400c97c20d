"""What stations say about themselves, and where one believes to have delivered more. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from sync.fleet.arrival import Key

MOST_BYTES = 64 * 1024
MOST_STATIONS = 20_000
MOST_CLAIMS = 64
ASK_AGAIN_S = 10.0
SCHEMA = "station-status/1"


@dataclass(frozen=True, slots=True)
class Word:
    """The newest status of a station as text; `delivery` only where it has numbers."""

    status: str
    delivery: str | None


class Hearing:
    """The newest word of each station.

    A station in collector mode that believes further than the database is one whose records were
    lost here: `behind` names these chains, each at most every `ASK_AGAIN_S`.
    """

    def __init__(self) -> None:
        self._claims: dict[str, dict[Key, int]] = {}
        self._asked_at: dict[Key, float] = {}
        self._news: dict[str, Word] = {}

    def take(self, station: str, payload: bytes) -> bool:
        """A payload on `status`; False for anything that no station says."""
        content = _read(payload)
        if content is None or content.get("station") != station:
            return False
        if station not in self._claims and len(self._claims) >= MOST_STATIONS:
            return False
        text = json.dumps(content, sort_keys=True)
        if "acknowledged" in content:
            self._claims[station] = _claims(station, content)
            self._news[station] = Word(text, text)
        else:
            before = self._news.get(station)
            self._news[station] = Word(text, before.delivery if before else None)
        return True

    def news(self) -> dict[str, Word]:
        """The words that came since the last call."""
        found, self._news = self._news, {}
        return found

    def behind(self, now: float, through: Callable[[Key, int], int]) -> list[tuple[Key, int]]:
        """Chains that the database holds less far than their station believes, with the first
        number that is missing. Those that were named lately are left out. `through` gives how far
        the database holds a chain, of which a station claims a number."""
        found = []
        for claims in self._claims.values():
            for key, seq in claims.items():
                if now - self._asked_at.get(key, float("-inf")) < ASK_AGAIN_S:
                    continue
                held = through(key, seq) if seq > 0 else 0
                if seq > held:
                    self._asked_at[key] = now
                    found.append((key, held + 1))
        return found


def _read(payload: bytes) -> dict[str, object] | None:
    if len(payload) > MOST_BYTES:
        return None
    try:
        content = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        return None
    return content


def _claims(station: str, content: Mapping[str, object]) -> dict[Key, int]:
    """How far the station believes each of its chains to be held by collectors."""
    said = content.get("acknowledged")
    if content.get("acknowledge") != "collector" or not isinstance(said, dict):
        return {}
    found = {}
    for stream, one in list(said.items())[:MOST_CLAIMS]:
        if not isinstance(one, dict):
            continue
        epoch, seq = one.get("epoch"), one.get("seq")
        if isinstance(epoch, str) and isinstance(seq, int) and not isinstance(seq, bool):
            found[Key(station, str(stream), epoch)] = seq
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
