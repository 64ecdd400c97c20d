"""Persons' answers become what happens to the parts. Steps on the tend thread.

The line decides: the first of an answer and the fall-back that it commits counts. A later answer is
a label only. An answer can be taken back for `undo_s` after it was given; then, or at the part's
deadline if that comes first, the line acts on it. `unsure` moves nothing, unless it says `hold`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge.clock import Clock
from edge.log import log
from edge.records import Disposition, Fate, Origin
from edge.review.verdicts import PAGE, after, fate_of, is_correction, is_verdict
from edge.store.archive import Archive
from edge.store.errors import StoreError
from edge.workers.entry import Entry
from edge.workers.openings import Openings

STATE_THROUGH = "verdicts.through"
EVERY_NS = 200_000_000
PAGES_AT_A_DEADLINE = 10
"""So much is read before a fall-back: 5,000 records, a tenth of a second at most."""
SAVE_AFTER = 1000
"""So many records may be read again after a restart, where none of them decided a part."""
COMING_NS = 10**9
"""So long the answer about a part is kept whose escalation this thread has not heard of."""
FAILURES = (sqlite3.Error, StoreError, ValueError, KeyError)


@dataclass(frozen=True, slots=True)
class Answer:
    """One sure answer, and when the line acts on it, at the part's deadline at the latest."""

    verdict: str
    inspection: str
    fate: Fate
    seq: int
    due_ns: int


class VerdictReader:
    """Reads queue.db behind the place that was last committed, writes dispositions by person.

    `failing` says why the queue cannot be read; persons' answers then wait. What is open is known
    from `openings`, without reading line.db. `undone` is set when an answer was taken back.
    """

    def __init__(
        self,
        queue: Archive,
        openings: Openings,
        clock: Clock,
        origin: Origin,
        state: Callable[[str], str | None],
        undo_s: float = 0.0,
    ) -> None:
        self.failing: str | None = None
        self.undone = False
        self._queue = queue
        self._openings = openings
        self._clock = clock
        self._origin = origin
        self._undo_ns = int(undo_s * 1e9)
        self._epoch, self._seq = _place(state(STATE_THROUGH))
        self._saved = self._seq
        self._answers: dict[str, list[Answer]] = {}
        self._coming: dict[str, int] = {}
        self._handed: dict[str, int] = {}
        self._next_ns = 0
        self._caught_up = False
        self._behind = True

    @property
    def place(self) -> Mapping[str, object]:
        """The member `answers` of the status: every record of the queue up to there was read, and
        what was done because of it is on the disk."""
        open_still = [seq for name, seq in self._handed.items() if self._openings.find(name)]
        return {"epoch": self._epoch, "seq": min([self._seq, *(seq - 1 for seq in open_still)])}

    def step(self, now_ns: int) -> Iterator[Entry]:
        """The dispositions that follow from answers whose time has come."""
        if now_ns >= self._next_ns:
            self._next_ns = now_ns + EVERY_NS
            if self._try_to_read(now_ns, 1) and not self._caught_up:
                self._next_ns = now_ns
        self._forget(now_ns)
        if not self._caught_up:
            return  # an answer may have been taken back in what is not read yet
        for given in [*self._answers.values()]:
            if given[0].due_ns <= now_ns and self._openings.find(given[0].inspection):
                yield self._act(given[0])
        if self._seq >= self._saved + SAVE_AFTER and self._through() > self._saved:
            yield Entry((), state=self._state())

    def at_deadline(self, due: Collection[str], now_ns: int) -> Mapping[str, Entry | None] | None:
        """For the parts of these inspections, whose time is over: the disposition by a person of
        each whose answer is on the disk by now, None where it is handed on already. The fall-back
        is to decide the others at once.

        None instead of all: there is more to read, one of the next looks will know. Where the
        queue cannot be read, what was read of it before counts, if that was all there was then:
        an answer may have been taken back in what was never read.
        """
        if self._try_to_read(now_ns, PAGES_AT_A_DEADLINE) and not self._caught_up:
            return None
        found: dict[str, Entry | None] = {name: None for name in due if name in self._handed}
        if self._behind:
            return found
        for name in due:
            if name in self._answers:
                found[name] = self._act(self._answers[name][0])
        return found

    def fell_back(self, inspection: str) -> None:
        """The fall-back decides it: no answer does any more."""
        self._answers.pop(inspection, None)
        self._handed[inspection] = self._seq + 1

    def close(self) -> None:
        """Let the file go. Answers that can still be taken back are acted on at the next start."""
        self._queue.close()

    def _try_to_read(self, now_ns: int, pages: int) -> bool:
        """Whether the queue could be read."""
        try:
            self._read(now_ns, pages)
        except FAILURES as error:
            if self.failing is None:
                log.error("verdicts.failing", error=error)
            self.failing = str(error)
            self._caught_up = False
            return False
        self.failing = None
        return True

    def _read(self, now_ns: int, pages: int) -> None:
        epoch = self._queue.epoch
        if epoch != self._epoch:
            self._epoch, self._seq, self._saved, self._behind = epoch, 0, 0, True
            # of another chain: whatever is read of the new one was written after them
            self._handed = dict.fromkeys(self._handed, 1)
            self._answers = {
                name: [_moved(one) for one in given] for name, given in self._answers.items()
            }
        for _ in range(pages):
            count = 0
            for seq, record in after(self._queue, self._seq):
                try:
                    self._take(seq, record, now_ns)
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    log.error("verdicts.nonsense", seq=seq, error=error)
                self._seq, count = seq, count + 1
            self._behind = count >= PAGE
            self._caught_up = not self._behind
            if self._caught_up:
                return

    def _take(self, seq: int, record: Mapping[str, Any], now_ns: int) -> None:
        if is_correction(record):
            if record["undo"] is True:
                self._undo(record["inspection"], record["verdict"])
            return
        fate = fate_of(record) if is_verdict(record) else None
        if fate is None:
            return
        name = str(record["inspection"])
        given_ns = self._given_ns(record, now_ns)
        if name in self._handed:
            return
        if self._openings.find(name) is None:
            if now_ns - given_ns > COMING_NS:
                return  # decided already, or nobody was asked: a label only
            self._coming[name] = now_ns + COMING_NS
        made = Answer(str(record["id"]), name, fate, seq, given_ns + self._undo_ns)
        self._answers.setdefault(name, []).append(made)

    def _given_ns(self, record: Mapping[str, Any], now_ns: int) -> int:
        """When it was given, on this boot's clock; long ago where that cannot be said."""
        at = record["monotonic_ns"]
        if record["boot_id"] != self._origin.boot_id or not isinstance(at, int):
            return now_ns - self._undo_ns - COMING_NS - 1
        return min(at, now_ns)

    def _undo(self, name: str, verdict: str | None) -> None:
        self.undone = True
        left = [one for one in self._answers.get(name, ()) if one.verdict != verdict]
        if left:
            self._answers[name] = left
        else:
            self._answers.pop(name, None)

    def _act(self, answer: Answer) -> Entry:
        """The disposition, with the place up to which nothing need be read again after it."""
        name = answer.inspection
        opening = self._openings.find(name)
        del self._answers[name]
        self._handed[name] = answer.seq
        disposition = Disposition(
            id=self._clock.new_id(),
            origin=self._origin,
            decided=self._clock.moment(),
            inspection=name,
            disposition=answer.fate,
            by="person",
            part_id=None if opening is None else opening.part_id,
            verdict=answer.verdict,
        )
        return Entry((disposition,), state=self._state())

    def _state(self) -> Mapping[str, str]:
        self._saved = self._through()
        return {STATE_THROUGH: f"{self._epoch} {self._saved}"}

    def _through(self) -> int:
        """Behind which record a restart must read: the first answer that may still be taken back
        is read again."""
        waiting = [one.seq - 1 for given in self._answers.values() for one in given]
        return min([self._seq, *waiting])

    def _forget(self, now_ns: int) -> None:
        """What is closed by now, and answers about parts of which nobody was asked."""
        self._handed = {
            name: seq for name, seq in self._handed.items() if self._openings.find(name)
        }
        for name, until_ns in [*self._coming.items()]:
            if self._openings.find(name) is not None or now_ns >= until_ns:
                del self._coming[name]
        for name in [one for one in self._answers if one not in self._coming]:
            if self._openings.find(name) is None:
                del self._answers[name]


def _moved(answer: Answer) -> Answer:
    """An answer of a chain that is no longer read: no place of the new one lies before it."""
    return Answer(answer.verdict, answer.inspection, answer.fate, 1, answer.due_ns)


def _place(kept: str | None) -> tuple[str | None, int]:
    """Epoch and seq; the beginning where nothing that can be read was kept."""
    epoch, _, seq = (kept or "").partition(" ")
    return (epoch, int(seq)) if seq.isdigit() else (None, 0)
