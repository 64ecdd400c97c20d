"""The files of pictures that were given up, removed a few at a time."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from edge.log import log
from edge.retention.shelved import AT_ONCE, Shelved


class Unlinking:
    """Takes pictures that are marked as leaving; gives the numbers of those whose file is gone."""

    def __init__(self, state_dir: Path) -> None:
        self.bytes = 0
        self._state_dir = state_dir
        self._waiting: deque[Shelved] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, pictures: Iterable[Shelved]) -> None:
        """These are marked, durably."""
        for one in pictures:
            self._waiting.append(one)
            self.bytes += one.picture.bytes

    def clear(self) -> None:
        """Forget all: they belong to a database that is no longer there."""
        self._waiting.clear()
        self.bytes = 0

    def step(self, keep: str | None) -> list[int]:
        """Remove some; the numbers of those that are gone. The folder `keep` stays, even empty."""
        gone: list[int] = []
        for _ in range(min(AT_ONCE, len(self._waiting))):
            one = self._waiting.popleft()
            try:
                self._remove(one.path)
            except OSError as error:
                log.error("storage.unlink", path=one.path, error=error)
                self._waiting.append(one)
                break
            self.bytes -= one.picture.bytes
            gone.append(one.picture.seq)
            self._tidy_up(PurePosixPath(one.path).parent, keep)
        return gone

    def _remove(self, path: str) -> None:
        # A damaged row must not cost any other file than a picture.
        if not path.startswith("images/") or ".." in PurePosixPath(path).parts:
            log.error("storage.unlink", path=path, error="not a path of a picture")
            return
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, ValueError):
            os.unlink(self._state_dir / path)

    def _tidy_up(self, folder: PurePosixPath, keep: str | None) -> None:
        """Remove the hour's folder and the day's when they are empty."""
        if keep is not None and str(folder) == keep:
            return
        for one in (folder, folder.parent):
            if len(one.parts) < 2:
                return
            try:
                os.rmdir(self._state_dir / one)
            except (OSError, ValueError):
                return
