"""A transport that ends in the test, and a journal in memory."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from edge.store.rows import Row
from sync import chain
from sync.journal import Anchor, JournalError
from sync.transport import Acknowledged, Connected, Disconnected, Event, Message, Transport


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
        self.subscribed: list[tuple[str, int]] = []
        self.connects = 0
        self.closed = 0
        self._token = 0
        self._unanswered: list[int] = []

    def answer(self, event: Event) -> None:
        """The broker, or what stands for it, says this now."""
        self._report(self._generation, event)

    def accept(self, limits: Connected | None = None) -> None:
        self.answer(limits or Connected())

    def say(self, topic: str, payload: bytes, retained: bool = False) -> None:
        self.answer(Message(topic, payload, retained))

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
        self.subscribed.append((topic, self._token))
        self._unanswered.append(self._token)
        return self._token

    def close(self) -> None:
        self.closed += 1


class MemoryJournal:
    """A journal that the test fills, shortens, damages or begins anew."""

    def __init__(self, records: int = 0, epoch: str = "epoch-1", stream: str = "line") -> None:
        self.stream = stream
        self.unreadable = False
        self.reads = 0
        self.begin(epoch)
        self.add(records)

    def begin(self, epoch: str) -> None:
        self.held: list[Row] = []
        self.damaged: set[int] = set()
        self._epoch = epoch
        self._anchor = Anchor(0, chain.GENESIS)

    def add(self, count: int, size: int = 40, text: str | None = None) -> None:
        for _ in range(count):
            seq = self.held[-1].seq + 1 if self.held else self._anchor.seq + 1
            last = self.held[-1].hash if self.held else self._anchor.hash
            body = chain.body(
                {
                    "stream": self.stream,
                    "epoch": self._epoch,
                    "seq": seq,
                    "padding": text or "x" * size,
                }
            )
            self.held.append(Row(seq, body, chain.link(last, body)))

    def prune(self, count: int, by: str | None = "somebody") -> None:
        last = self.held[count - 1]
        self._anchor = Anchor(last.seq, last.hash, "2026-11-20T12:00:00.000Z", by)
        del self.held[:count]

    def change(self, seq: int, **parts: object) -> None:
        """Replace a part of a row, as a flipped bit would."""
        index = next(i for i, row in enumerate(self.held) if row.seq == seq)
        self.held[index] = self.held[index]._replace(**parts)

    def remove(self, *seqs: int) -> None:
        self.held = [row for row in self.held if row.seq not in seqs]

    def row(self, seq: int) -> Row:
        return next(row for row in self.held if row.seq == seq)

    def epoch(self) -> str:
        self._check()
        return self._epoch

    def anchor(self) -> Anchor:
        self._check()
        return self._anchor

    def head(self) -> int:
        self._check(self.held[-1].seq if self.held else 0)
        return self.held[-1].seq if self.held else self._anchor.seq

    def rows(self, after_seq: int, max_rows: int, max_bytes: int, epoch: str) -> Sequence[Row]:
        self.reads += 1
        self._check()
        if epoch != self._epoch:
            raise JournalError("another epoch", "nothing")
        found = []
        start = bisect.bisect_right(self.held, after_seq, key=lambda row: row.seq)
        for row in self.held[start : start + max_rows]:
            self._check(row.seq)
            found.append(row)
        return found

    def last_hash(self, seq: int) -> str | None:
        self._check(seq)
        if seq == 0:
            return chain.GENESIS
        if seq == self._anchor.seq:
            return self._anchor.hash
        found = [row.hash for row in self.held if row.seq == seq]
        return found[0] if found else None

    def _check(self, seq: int = 0) -> None:
        if self.unreadable:
            raise JournalError("the disk is gone", "plug it in")
        if seq in self.damaged:
            raise JournalError(f"the page of {seq} is damaged", "verify", damaged=True)
