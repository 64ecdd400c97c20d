"""A transport that ends in the test, and a journal in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.store.rows import Row
from sync import chain
from sync.journal import JournalError
from sync.transport import Acknowledged, Connected, Disconnected, Event, Transport


@dataclass(frozen=True)
class Published:
    topic: str
    payload: bytes
    retain: bool
    token: int


class Loopback(Transport):
    """Keeps what is published; the test says what the broker answers."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[Published] = []
        self.connects = 0
        self.closed = 0
        self._token = 0
        self._unanswered: list[int] = []

    def answer(self, event: Event) -> None:
        """The broker, or what stands for it, says this now."""
        self._report(self._generation, event)

    def accept(self, limits: Connected | None = None) -> None:
        self.answer(limits or Connected())

    def lose(self) -> None:
        self._unanswered.clear()
        self.answer(Disconnected("lost", "wait"))

    def acknowledge_all(self) -> int:
        unanswered, self._unanswered = self._unanswered, []
        for token in unanswered:
            self.answer(Acknowledged(token))
        return len(unanswered)

    def segments(self) -> list[Published]:
        return [one for one in self.published if "/results/" in one.topic]

    def statuses(self) -> list[Published]:
        return [one for one in self.published if one.topic.endswith("/status")]

    def _connect(self, generation: int) -> None:
        self.connects += 1
        self._unanswered.clear()

    def _drop(self) -> None:
        self._unanswered.clear()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        self._token += 1
        self.published.append(Published(topic, payload, retain, self._token))
        self._unanswered.append(self._token)
        return self._token

    def subscribe(self, topic: str) -> int:
        self._token += 1
        return self._token

    def close(self) -> None:
        self.closed += 1


class MemoryJournal:
    """A journal that the test fills, shortens, damages or begins anew."""

    def __init__(self, records: int = 0, epoch: str = "epoch-1") -> None:
        self.unreadable = False
        self.begin(epoch)
        self.add(records)

    def begin(self, epoch: str) -> None:
        self.held: list[Row] = []
        self._epoch = epoch
        self._anchor = (0, chain.GENESIS)

    def add(self, count: int, size: int = 40) -> None:
        for _ in range(count):
            seq, last = self.head() + 1, self.held[-1].hash if self.held else self._anchor[1]
            body = chain.body(
                {"stream": "line", "epoch": self._epoch, "seq": seq, "padding": "x" * size}
            )
            self.held.append(Row(seq, body, chain.link(last, body)))

    def prune(self, count: int) -> None:
        self._anchor = (self.held[count - 1].seq, self.held[count - 1].hash)
        del self.held[:count]

    def epoch(self) -> str:
        if self.unreadable:
            raise JournalError("the disk is gone", "plug it in")
        return self._epoch

    def anchor(self) -> tuple[int, str]:
        return self._anchor

    def head(self) -> int:
        return self.held[-1].seq if self.held else self._anchor[0]

    def rows(self, after_seq: int, max_rows: int, max_bytes: int, epoch: str) -> Sequence[Row]:
        return [row for row in self.held if row.seq > after_seq][:max_rows]

    def last_hash(self, seq: int) -> str | None:
        if seq == self._anchor[0]:
            return self._anchor[1]
        found = [row.hash for row in self.held if row.seq == seq]
        return found[0] if found else None
