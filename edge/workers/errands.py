"""Small orders of retention for the record thread, which alone writes to line.db.

One at a time: the tend thread leaves an errand, the record thread does it between two batches, the
tend thread looks later at what became of it. Nothing waits for anything.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from threading import Event

from edge.store.errors import Replaced
from edge.store.journal import Journal
from edge.store.pruning import NotOurs, Prune, Pruned
from edge.store.tidying import Tidying


@dataclass(frozen=True, slots=True)
class Bound:
    """How many pages line.db and its write-ahead log may take."""

    pages: int
    log_pages: int


@dataclass(slots=True)
class Errand:
    """What is to be done, in this order, and what became of it: read the rest once `done`.

    `refused` says why SQLite did not do it, `not_ours` why nothing may be deleted.
    """

    tidying: Tidying | None = None
    prune: Prune | None = None
    bound: Bound | None = None
    checkpoint: bool = False
    done: bool = False
    tidied: bool = False
    pruned: Pruned = field(default_factory=Pruned)
    refused: str | None = None
    not_ours: str | None = None

    def carry_out(self, journal: Journal) -> None:
        """Do it. Raises sqlite3.DatabaseError for a damaged file only."""
        try:
            self._do(journal)
        except (sqlite3.OperationalError, sqlite3.IntegrityError, Replaced) as error:
            self.refused = str(error)
        except NotOurs as error:
            self.not_ours = str(error)

    def _do(self, journal: Journal) -> None:
        if self.checkpoint:
            journal.checkpoint()
        if self.bound is not None:
            journal.bound(self.bound.pages, self.bound.log_pages)
        if self.tidying is not None:
            journal.tidy(self.tidying)
            self.tidied = True
        if self.prune is not None:
            self.pruned = journal.prune(self.prune)


class Errands:
    """A slot for one errand. One thread gives, another runs."""

    def __init__(self) -> None:
        self._waiting: Errand | None = None
        self._given = Event()

    def give(self, errand: Errand) -> bool:
        """Leave it for the record thread; False while the last one is still waiting."""
        if self._waiting is not None:
            return False
        self._waiting = errand
        self._given.set()
        return True

    def wait(self, timeout: float) -> None:
        """Wait for an errand: it may be what makes room."""
        self._given.wait(timeout)

    def run(self, journal: Journal) -> None:
        """Do the errand that waits, if one does. Raises sqlite3.DatabaseError for a damaged file:
        it is done then, too, and is not tried again."""
        errand = self._waiting
        if errand is None:
            return
        self._given.clear()
        try:
            errand.carry_out(journal)
        finally:
            self._waiting = None
            errand.done = True
