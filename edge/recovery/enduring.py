"""A journal that goes on in a new file when its own is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from edge.files import sync_folder
from edge.log import log
from edge.records import Record, utc
from edge.recovery import aside
from edge.recovery.aside import Known
from edge.recovery.damage import examine, glance
from edge.recovery.memory import GUARD, Memory, guard, read
from edge.store import schema
from edge.store.archive import Archive
from edge.store.batch import Committed
from edge.store.durable import make_directory
from edge.store.errors import StoreError
from edge.store.escalations import Deadline
from edge.store.journal import NO_DEADLINES, NO_STATE, Journal, read_head
from edge.store.symptoms import (
    Identity,
    Symptom,
    contradicts,
    identity,
    is_damage,
    is_unfinished,
    is_unreadable,
)
from edge.store.tidying import Tidying

T = TypeVar("T")
GLANCE_NS = 10**9
"""How often the file is read anew, as others see it: the writer works from its memory."""
TRIES = 3
"""So often bytes are asked for that cannot be read, before the file is given up."""


NEVER = 1 << 63


class Times(Protocol):
    """The clocks."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since boot."""
        ...

    def wall(self) -> float:
        """Seconds since 1970."""
        ...


class EnduringJournal(Journal):
    """A journal whose damaged file is set aside, at its start and in the middle of its work.

    The call that met the damage is done again in the new file: its records are there on return, in
    a new epoch. State, open escalations and requests are carried over: from memory, at a start from
    what can be read.
    """

    _clock: Times
    _glance_ns = 0
    _suspected: Symptom | None = None
    _memory: Memory | None = None
    _file: Identity | None
    _guarded: frozenset[str] = frozenset()
    _tries = 0
    _open = True
    _bounds: tuple[int, int] | None = None

    @classmethod
    def begin(
        cls,
        path: Path,
        boot_id: str,
        clock: Times,
        unknown: Mapping[str, str] = NO_STATE,
        stream: str = "line",
        remember: bool = True,
        glancing: bool | None = None,
    ) -> EnduringJournal:
        """Open or make the file; complete a setting aside, set a damaged file aside.

        `unknown` is the state that holds where the old one cannot be read any more. Without
        `remember` nothing is kept in memory: what of the state can be read of the damaged file is
        carried over. Without `glancing` (as `remember`, if not said) the file is not looked at
        again: for whoever writes one record and closes. Raises as `open` does, but for damage.
        """
        make_directory(path.parent)
        aside.finish(path)
        why = _examine_patiently(path) or _forged(path, unknown)
        if why is not None:
            aside.set_aside(path, stream, why, utc(clock.wall()), Known(unknown=unknown))
        try:
            journal = cls.open(path, boot_id, clock.monotonic_ns(), stream)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            aside.set_aside(path, stream, str(error), utc(clock.wall()), Known(unknown=unknown))
            journal = cls.open(path, boot_id, clock.monotonic_ns(), stream)
        assert isinstance(journal, cls)
        journal._clock = clock
        journal._memory = read(journal._database) if remember else None
        journal._guarded = frozenset(unknown)
        if not (remember if glancing is None else glancing):
            journal._glance_ns = NEVER
        journal._file = identity(path)
        return journal

    def append(
        self,
        records: Sequence[Record],
        *,
        deadlines: Mapping[str, Deadline] = NO_DEADLINES,
        state: Mapping[str, str] = NO_STATE,
        request_id: str | None = None,
    ) -> list[Committed]:
        """As Journal does, if need be in a new epoch."""
        write = super().append
        if self._memory is not None and self._guarded & state.keys():
            state = {**state, GUARD: guard({**self._memory.state, **state}, self._guarded)}
        done = self._surely(
            lambda: write(records, deadlines=deadlines, state=state, request_id=request_id)
        )
        if self._memory is not None:
            self._memory.note(done, deadlines, state, request_id, self._boot_id)
        return done

    def tidy(self, wanted: Tidying) -> None:
        """As Journal does."""
        super().tidy(wanted)
        if self._memory is not None:
            self._memory.state.update(wanted.state)

    def bound(self, pages: int, log_pages: int) -> None:
        """As Journal does, for every file that follows too."""
        self._bounds = pages, log_pages
        super().bound(pages, log_pages)

    def _tidily(self, work: Callable[[], T]) -> T:
        tidily = super()._tidily
        return self._surely(lambda: tidily(work))

    def _surely(self, work: Callable[[], T]) -> T:
        """Do it; where the file is damaged, in a new one."""
        if why := self._seen():
            self._begin_anew(why)
        try:
            done = work()
            self._tries = 0
            return done
        except (sqlite3.Error, StoreError) as error:
            why = self._damage(error)
            if why is None:
                raise
        self._begin_anew(why)
        return work()

    def look(self) -> None:
        """Set the file aside if it is damaged, though nothing is written. Raises as `append`."""
        if why := self._seen():
            self._begin_anew(why)

    def suspect(self, symptom: Symptom) -> None:
        """A reader finds the file damaged, again and again. Called by another thread."""
        self._suspected = symptom

    def close(self) -> None:
        """As Journal does; a file that is damaged by now is set aside, and the next one closed."""
        self._glance_ns = 0 if self._glance_ns < NEVER else NEVER
        try:
            if self._open and (why := self._seen()):
                self._begin_anew(why)
        except (sqlite3.Error, StoreError) as error:
            log.error("database.close", error=error)
        self._open = False
        super().close()

    def _seen(self) -> str | None:
        """What is wrong with the file, as far as it shows without writing to it."""
        if identity(self.path) != self._file:
            return "the file was taken away"
        if self._suspected is not None and self._suspected.file == self._file:
            return self._suspected.why
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._glance_ns:
            return None
        self._glance_ns = now_ns + GLANCE_NS
        try:
            return glance(self.path)
        except sqlite3.Error:
            return None  # no room for a reader, say: writing will tell

    def _damage(self, error: Exception) -> str | None:
        if is_damage(error):
            return str(error)
        if is_unreadable(error):
            self._tries += 1
            return str(error) if self._tries >= TRIES else None
        if type(error) is StoreError or contradicts(error):
            try:
                return examine(self.path)
            except (sqlite3.Error, StoreError):
                return None
        return None

    def _begin_anew(self, why: str) -> None:
        """Raises sqlite3.Error; the next call then goes on here."""
        self._suspected = Symptom(self._file, why)
        try:
            if not (aside.finish(self.path) or self._replaced()):
                known = Known(self.head, self._memory)
                aside.set_aside(self.path, self._head.stream, why, utc(self._clock.wall()), known)
            self._reopen()
        except OSError as error:
            raise sqlite3.OperationalError(f"{self.path} cannot be set aside: {error}") from error

    def _replaced(self) -> bool:
        """Whether the file was set aside at an earlier try, and its new one lies there."""
        known = [case.head for case in aside.cases(self.path.parent)]
        return identity(self.path) not in (None, self._file) and self.head in known

    def _reopen(self) -> None:
        database = schema.connect_writer(self.path)
        try:
            sync_folder(self.path.parent)
            head = read_head(database, self._head.stream)
            file = identity(self.path)
        except BaseException:
            database.close()
            raise
        # Only now: SQLite sees that this one is no longer in its place and leaves its log alone.
        _close(self._database)
        self._database, self._head, self._file, self._tries = database, head, file, 0
        self._suspected = None
        if self._bounds is not None:
            self.bound(*self._bounds)
        log.warning("database.new_epoch", file=self.path.name, epoch=head.epoch)


def _examine_patiently(path: Path) -> str | None:
    for tries_left in reversed(range(TRIES)):
        try:
            return examine(path)
        except sqlite3.Error as error:
            if not is_unreadable(error):
                raise
            if not tries_left:
                return str(error)
    return None


def _forged(path: Path, unknown: Mapping[str, str]) -> str | None:
    """Whether what a person has set is not what was written. A file without a guard is older."""
    try:
        with Archive(path) as archive:
            said = archive.state(GUARD) if unknown else None
            state = {key: value for key in unknown if (value := archive.state(key)) is not None}
    except sqlite3.Error as error:
        if not is_unfinished(error):
            raise
        return None
    wrong = said is not None and said != guard(state, unknown)
    return "what was set about the automation is not what was written" if wrong else None


def _close(database: sqlite3.Connection) -> None:
    try:
        database.close()
    except sqlite3.Error as error:
        log.warning("database.close", error=error)
