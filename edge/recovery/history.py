"""All epochs of a station as one: the database in use, and what was saved of damaged ones."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.recovery.memory import CARRIED
from edge.recovery.salvage import FOLDER, META
from edge.store.archive import Archive, Story
from edge.store.rows import Row
from edge.store.symptoms import Symptom

EPOCH = re.compile(rb'"epoch":"([0-9a-f-]{36})"')


class Saved(Archive):
    """What was saved of one damaged database. Nobody writes to it."""

    def __enter__(self) -> Saved:
        return self

    @property
    def told(self) -> dict[str, Any]:
        """What the salvage said of it: see edge/recovery/salvage.py. Empty if damaged."""
        row = self._one("SELECT value FROM meta WHERE key = ?", META)
        try:
            told = json.loads(row[0]) if row is not None else {}
        except (ValueError, TypeError):
            return {}
        return told if isinstance(told, dict) else {}

    @property
    def began(self) -> str:
        """When its first inspection was, by the station's wall clock."""
        first = self.inspections(0, 1)
        return "" if not first else str(json.loads(first[0].body).get("captured_at"))


class History(Archive):
    """An archive of `line.db` that also finds the parts of earlier epochs.

    `newest`, `find`, `disposition` and `story` are answered from all of them; everything else is
    about the database in use.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._saved: dict[Path, Saved] = {}

    def __enter__(self) -> History:
        return self

    def close(self) -> None:
        """Let every file go."""
        super().close()
        for archive in self._saved.values():
            archive.close()
        self._saved.clear()

    @property
    def symptom(self) -> Symptom | None:
        """The damage that the last reading of the database in use met; None when it went well."""
        return self._file.symptom

    @property
    def earlier(self) -> list[Saved]:
        """What was saved of damaged databases, the oldest epoch first."""
        found = list((self.path.parent / FOLDER).glob(f"{self.path.stem}-*.db"))
        for path in found:
            self._saved.setdefault(path, Saved(path))
        return sorted((self._saved[path] for path in found), key=lambda one: one.began)

    def holding(self, row: Row) -> Archive:
        """The archive in which this record stands."""
        named = EPOCH.search(row.body)
        epoch = None if named is None else named[1].decode()
        if epoch is None or epoch == self.epoch:
            return self
        return next((one for one in self.earlier if one.epoch == epoch), self)

    def newest(
        self, limit: int, since: str | None = None, decision: str | None = None
    ) -> list[Row]:
        """The newest inspections of all epochs, newest last."""
        rows = super().newest(limit, since, decision)
        for archive in reversed(self.earlier):
            if len(rows) < limit:
                rows = archive.newest(limit - len(rows), since, decision) + rows
        return rows

    def find(self, name: str) -> list[Row]:
        """Inspections with this id, or else with this part id, oldest first."""
        rows = [row for archive in self.earlier for row in archive.find(name)]
        rows += super().find(name)
        carried = None if rows else self._carried(name)
        return rows if carried is None else [carried]

    def disposition(self, inspection: str) -> Row | None:
        """What finally happened to the part, in whichever epoch that was."""
        found = super().disposition(inspection)
        for archive in self.earlier if found is None else ():
            found = found or archive.disposition(inspection)
        return found

    def story(self, inspection: str) -> Story | None:
        """Everything about one inspection. A part of an earlier epoch may be disposed in this."""
        story = super().story(inspection)
        for archive in self.earlier if story is None else ():
            story = story or archive.story(inspection)
        if story is None and (row := self._carried(inspection)):
            story = Story(row, None, None, None, None)
        if story is None:
            return None
        disposed = self.disposition(inspection)
        return replace(story, disposition=disposed, open=self.waiting(inspection))

    def _carried(self, inspection: str) -> Row | None:
        """The record of an open escalation of an earlier epoch."""
        kept = self.state(CARRIED + inspection)
        hashed, _, body = (kept or "").partition(" ")
        try:
            return Row(int(json.loads(body)["seq"]), body.encode(), hashed)
        except (ValueError, KeyError, TypeError):
            return None
