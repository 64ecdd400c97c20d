"""What stations say about themselves, and where one believes to have delivered more. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sync import chain
from sync.acknowledgement import MOST_EPOCHS, Acknowledgement, Through
from sync.fleet import words
from sync.fleet.arrival import Key

MOST_STATIONS = 20_000
ASK_AGAIN_S = 10.0


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
        content = words.status(payload)
        if content is None or content.get("station") != station:
            return False
        if station not in self._claims and len(self._claims) >= MOST_STATIONS:
            return False
        text = json.dumps(content, sort_keys=True)
        if "acknowledged" in content:
            said = words.chains(station, content)
            self._claims[station] = {
                key: word.delivered for key, word in said.items() if word.by != words.BROKER
            }
            self._news[station] = Word(text, text)
        else:
            before = self._news.get(station)
            self._news[station] = Word(text, before.delivery if before else None)
        return True

    def news(self) -> dict[str, Word]:
        """The words that came since the last call."""
        found, self._news = self._news, {}
        return found

    def with_strangers(
        self, standing: Mapping[tuple[str, str], Acknowledgement], store: str
    ) -> list[tuple[tuple[str, str], Acknowledgement]]:
        """What is held of every stream, and that nothing is held of those epochs that stations
        spoke of and the database does not know."""
        found = dict(standing)
        for key in (key for claims in self._claims.values() for key in claims):
            held = found.get(key[:2], Acknowledgement((), store))
            if len(held.epochs) < MOST_EPOCHS and key.epoch not in {
                one.epoch for one in held.epochs
            }:
                nothing = Through(key.epoch, 0, chain.GENESIS)
                found[key[:2]] = replace(held, epochs=(*held.epochs, nothing))
        return list(found.items())

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
