"""Pictures on the disk that no record names: left by a crash, or by a database that was set aside.

They are found, not deleted: listed among the pictures, they go when their turn comes. A file may
also be on its way to its record. So each is looked at twice, a minute apart.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from edge.store.archive import KEPT_SINCE
from edge.store.follow import Following
from edge.store.shelf import on_disk
from edge.store.tidying import Found

AT_ONCE = 200
WAIT_NS = 60 * 10**9
MOST_WAITING = 5_000
Strangers = Callable[[Iterable[str]], list[str]]


class Strays:
    """Goes through hour folders a little at every step.

    `folders` are relative to the state directory, None for all there are. `strangers` says which
    of the given paths no record names.
    """

    def __init__(
        self, state_dir: Path, strangers: Strangers, folders: Iterable[str] | None = None
    ) -> None:
        self._state_dir = state_dir
        self._strangers = strangers
        self._files = _walk(state_dir, folders)
        self._waiting: deque[tuple[int, str]] = deque()
        self._walked = False

    @property
    def done(self) -> bool:
        """Whether everything was looked at, twice where it had to be."""
        return self._walked and not self._waiting

    def step(self, now_ns: int) -> list[Found]:
        """Look at some more files; those that have been strangers for a minute, once each."""
        if not self._walked and len(self._waiting) < MOST_WAITING:
            self._look(now_ns)
        due: list[str] = []
        while self._waiting and self._waiting[0][0] <= now_ns and len(due) < AT_ONCE:
            due.append(self._waiting.popleft()[1])
        found = (self._found(path) for path in self._strangers(due)) if due else ()
        return [one for one in found if one is not None]

    def _look(self, now_ns: int) -> None:
        some: list[str] = []
        for path in self._files:
            some.append(path)
            if len(some) >= AT_ONCE:
                break
        else:
            self._walked = True
        self._waiting.extend((now_ns + WAIT_NS, path) for path in self._strangers(some))

    def _found(self, path: str) -> Found | None:
        try:
            return Found(path, on_disk(os.stat(self._state_dir / path).st_size))
        except OSError:
            return None


def hours(state_dir: Path, newest: Iterable[str]) -> list[str]:
    """The folders in which a crash may have left something: those of the `newest` pictures, and
    the last two by name."""
    by_name = sorted(_folders(state_dir))[-2:]
    return sorted({*by_name, *(str(PurePosixPath(path).parent) for path in newest)})


def strays_given_up(line: Path) -> set[str]:
    """Paths of pictures of earlier epochs that were given up. Raises sqlite3.Error, StoreError."""
    file = Following(line)
    try:
        with file.reading() as database:
            if database is None or file.version < KEPT_SINCE:
                return set()
            rows = database.execute("SELECT path FROM pictures WHERE seq < 0 AND removed > 0")
            return {row[0] for row in rows}
    finally:
        file.close()


def _walk(state_dir: Path, folders: Iterable[str] | None) -> Iterator[str]:
    for folder in _folders(state_dir) if folders is None else folders:
        try:
            with os.scandir(state_dir / folder) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        yield f"{folder}/{entry.name}"
        except OSError:
            continue


def _folders(state_dir: Path) -> Iterator[str]:
    """`images/YYYY-MM-DD/HH`, all there are."""
    for day in _names(state_dir / "images"):
        for hour in _names(state_dir / "images" / day):
            yield f"images/{day}/{hour}"


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
