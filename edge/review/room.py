"""What everything that the queue does has in common: its board, its chain, its memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from edge.clock import Clock
from edge.log import log
from edge.records import Origin, Record
from edge.review.board import Board
from edge.review.case import Case, case_of
from edge.review.chain import REFUSED_BY_DISK, Chain
from edge.review.lineside import UNREADABLE, LineSide, NoLine
from edge.review.memory import Memory
from edge.review.pen import Pen
from edge.review.refusal import Refused
from edge.review.undoing import Undoing
from edge.review.waiting import Decided
from edge.store.batch import Committed


class Room:
    """Board and memory change under one lock; the chain is written outside of it, so that a slow
    disk holds up who answers and nobody else."""

    def __init__(
        self,
        board: Board,
        chain: Chain,
        clock: Clock,
        origin: Origin,
        line: LineSide | None = None,
        undo_s: float = 2.0,
    ) -> None:
        self._board = board
        self._chain = chain
        self._clock = clock
        self._pen = Pen(clock, origin)
        self._line = line or NoLine()
        self._undo_s = undo_s
        self._memory = Memory()
        self._mutex = threading.RLock()
        self._undoing = Undoing(self._line)

    def _append(
        self, records: Sequence[Record], state: Mapping[str, str], request_id: str | None = None
    ) -> list[Committed]:
        try:
            return self._chain.append(records, state, request_id)
        except REFUSED_BY_DISK as error:
            log.error("answers.not_recorded", error=error)
            raise Refused("not_now", f"it could not be recorded: {error}") from error
        except Exception as error:  # a case that is never given back would wait for nobody
            log.exception("answers.not_recorded")
            raise Refused("not_now", f"it could not be recorded: {error!r}") from error

    def _may_see(self, who: str, case: Case) -> bool:
        return case.shows or self._memory.has_seen(who, case.inspection)

    def _case(self, inspection: str) -> Case:
        with self._mutex:
            standing = self._board.find(inspection)
        if standing is not None:
            return standing.case
        try:
            record = self._line.inspection(inspection)
            if record is not None:
                return case_of(record, "escalation")
        except UNREADABLE as error:
            raise Refused("not_now", f"the line's records cannot be read: {error}") from error
        raise Refused("unknown", f"no inspection has the id {inspection}")

    def _fate(self, inspection: str) -> Decided | None:
        """What has happened to the part, as far as it is known here."""
        with self._mutex:
            standing = self._board.find(inspection)
        if standing is not None:
            return standing.fate
        try:
            return self._line.fate(inspection)
        except UNREADABLE:
            return None
