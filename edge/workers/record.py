"""The record thread: the one writer of line.db, several entries in one transaction."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence

from edge.channel import Channel
from edge.decision.challenge import TAG
from edge.log import log
from edge.records import Disposition, Inspection, Record
from edge.store.batch import Committed
from edge.store.errors import AlreadyApplied, AlreadyDecided, Unwritable
from edge.store.journal import Journal
from edge.workers.entry import Entry
from edge.workers.errands import Errands
from edge.workers.openings import Openings

BATCH = 256
RETRY_S = 0.5
TRIES_AT_THE_END = 20


class Recorder:
    """Takes entries, commits them, tells what is durable.

    While the disk refuses, the same batch is tried again and nothing else is taken, so that the
    channel before it fills and the line notices. `failing` then says why.
    """

    def __init__(
        self,
        entries: Channel[Entry],
        journal: Journal,
        openings: Openings,
        on_commit: Callable[[Sequence[Committed]], None] | None = None,
        retry_s: float = RETRY_S,
        errands: Errands | None = None,
    ) -> None:
        self.failing: str | None = None
        self.head = journal.head
        self.inspections = 0
        self.decisions: Counter[str] = Counter()
        self.unrecorded = 0
        self._entries = entries
        self._journal = journal
        self._openings = openings
        self._on_commit = on_commit
        self._errands = errands or Errands()
        self._batch: list[Entry] = []
        self._retry_s = retry_s
        self._ending = False
        self._tries = 0
        self._most = BATCH

    def step(self) -> bool:
        """Commit one batch, or wait for one; False when all is written and no more will come.

        Before it, one errand of retention: it may be what makes room for the batch.
        """
        if not self._batch:
            self._batch = self._entries.take(BATCH, timeout=0.5)
        if not self._batch and self._entries.ended:
            return False
        try:
            self._errands.run(self._journal)
            while self._batch:
                group = _one_transaction(self._batch[: self._most])
                self._append(group)
                del self._batch[: len(group)]
                self._tries, self._most = 0, min(2 * self._most, BATCH)
        except sqlite3.Error as error:
            return self._try_again(error)
        self._tries, self.failing = 0, None
        return True

    @property
    def idle(self) -> bool:
        """Whether everything that was handed over is on the disk."""
        return not self._batch and not len(self._entries)

    def finish(self) -> None:
        """The line is ending: from now on a disk that refuses is tried TRIES_AT_THE_END times."""
        self._ending = True

    def close(self) -> None:
        """Close the journal; what was not written is counted in `unrecorded`."""
        self._journal.close()
        left = [*self._batch, *self._entries.take(1 << 30, timeout=0)]
        self._batch = []
        self.unrecorded += sum(len(entry.records) for entry in left)

    def _try_again(self, error: sqlite3.Error) -> bool:
        self.failing = str(error)
        log.error("record.failing", error=error, waiting=len(self._entries))
        pieces = min(self._most, len(self._batch))
        if pieces > 1:
            # At once, and less: of fewer writes a bad disk is likelier to take all.
            self._most = pieces // 2
            return True
        self._tries += self._ending
        self._errands.wait(self._retry_s)
        return self._tries < TRIES_AT_THE_END

    def _append(self, batch: Sequence[Entry]) -> None:
        records = [record for entry in batch for record in entry.records]
        committed: list[Committed] = []
        while True:
            try:
                committed = self._journal.append(
                    records,
                    deadlines={k: v for entry in batch for k, v in entry.deadlines.items()},
                    state={k: v for entry in batch for k, v in entry.state.items()},
                    request_id=batch[0].request_id,
                )
            except AlreadyDecided as refused:
                # Only the one too many: with the first the part has its disposition.
                records = _without(records, refused)
                self._openings.close(refused.inspection)
                continue
            except Unwritable as refused:
                records = _without(records, refused)
                log.error("record.unwritable", error=refused)
                self.unrecorded += 1
                continue
            except AlreadyApplied:
                pass
            break
        self._remember(batch, committed)

    def _remember(self, batch: Sequence[Entry], committed: Sequence[Committed]) -> None:
        self.head = self._journal.head
        deadlines = {k: v for entry in batch for k, v in entry.deadlines.items()}
        for done in committed:
            record = done.record
            if isinstance(record, Inspection):
                self.inspections += 1
                if TAG not in record.tags:
                    self.decisions[record.decision] += 1
                if deadline := deadlines.get(record.id):
                    self._openings.open([(record.id, record.part_id, deadline.monotonic_ns)])
            elif isinstance(record, Disposition):
                self._openings.close(record.inspection)
        for entry in batch:
            if entry.done is not None:
                entry.done()
        if self._on_commit is not None:
            self._on_commit(committed)


def _one_transaction(batch: Sequence[Entry]) -> list[Entry]:
    """The entries up to the next request; a request goes alone, so that its id commits with it."""
    if batch[0].request_id is not None:
        return [batch[0]]
    group = []
    for entry in batch:
        if entry.request_id is not None:
            break
        group.append(entry)
    return group


def _without(records: Sequence[Record], refusal: AlreadyDecided | Unwritable) -> list[Record]:
    """All but the last that is this very one. Raises the refusal where there is none: it would be
    refused for ever."""
    places = [place for place, record in enumerate(records) if record is refusal.record]
    if not places:
        raise refusal
    return [*records[: places[-1]], *records[places[-1] + 1 :]]
