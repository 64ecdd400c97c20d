"""A line's record thread, tend thread and queue, each a step at a time: what tests of persons'
answers are made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge.records import Disposition, Inspection
from edge.review.correction import Correction
from edge.review.verdict import Verdict
from edge.review.verdicts import FILE, STREAM, state_of
from edge.store.archive import Archive
from edge.store.escalations import Deadline
from edge.store.journal import Journal
from edge.workers.entry import Entry
from edge.workers.openings import Openings
from edge.workers.verdicts import EVERY_NS, VerdictReader
from tests.edge.store.builders import inspection
from tests.edge.workers.parts import ORIGIN, SECOND, FakeClock


class Bench:
    """`undo_s` 2. What `look` yields is committed by `commit` only."""

    def __init__(self, folder: Path, undo_s: float = 2.0) -> None:
        self.folder, self.clock, self.undo_s = folder, FakeClock(), undo_s
        self.journal = Journal.open(folder / "line.db", "boot-1", 0)
        self.queue = Journal.open(folder / FILE, "boot-1", 0, STREAM)
        self.openings = Openings()
        self.numbers = 0
        self.reader = self.new_reader()

    def new_reader(self) -> VerdictReader:
        """As after a start: from what is on the disk."""
        waiting = self.journal.open_escalations()
        self.openings = Openings()
        self.openings.open((one.inspection, one.part_id, one.deadline_ns) for one in waiting)
        queue = Archive(self.folder / FILE)
        state = self.journal.state
        return VerdictReader(queue, self.openings, self.clock, ORIGIN, state, self.undo_s)

    def restart(self) -> None:
        self.reader.close()
        self.reader = self.new_reader()

    def wait_for(self, part: str | None = None, seconds: float = 60.0) -> Inspection:
        """A new part waits for a person."""
        self.numbers += 1
        made = inspection(self.numbers, "escalate", asked=True, part=part)
        due_ns = self.clock.now_ns + round(seconds * SECOND)
        self.journal.append([made], deadlines={made.id: Deadline(due_ns, seconds)})
        self.openings.open([(made.id, part, due_ns)])
        return made

    def say(self, about: str, answer: str = "accept", **more: Any) -> Verdict:
        """A person's answer, durable."""
        made = Verdict(
            id=self.clock.new_id(),
            origin=more.pop("origin", ORIGIN),
            given=self.clock.moment(),
            inspection=about,
            verdict=answer,  # type: ignore[arg-type]
            by="p-00000001",
            **more,
        )
        self.queue.append([made], state=state_of(made.content()))
        return made

    def take_back(self, given: Verdict, undo: bool = True) -> Correction:
        made = Correction(
            id=self.clock.new_id(),
            origin=ORIGIN,
            given=self.clock.moment(),
            inspection=given.inspection,
            verdict=given.id,
            to=None,
            by=given.by,
            undo=undo,
        )
        self.queue.append([made], state=state_of(made.content()))
        return made

    def look(self, seconds: float = EVERY_NS / SECOND) -> list[Disposition]:
        """Time goes by, one look; what is handed on is committed."""
        return self.commit(self.handed(seconds))

    def handed(self, seconds: float = EVERY_NS / SECOND) -> list[Entry]:
        self.clock.move(seconds)
        return list(self.reader.step(self.clock.now_ns))

    def commit(self, entries: list[Entry]) -> list[Disposition]:
        found = []
        for entry in entries:
            self.journal.append(entry.records, state=entry.state)
            for record in entry.records:
                assert isinstance(record, Disposition)
                self.openings.close(record.inspection)
                found.append(record)
        return found

    def fates(self, about: str) -> list[dict[str, Any]]:
        """All dispositions of one part that are on the disk."""
        with Archive(self.folder / "line.db") as archive:
            bodies = [json.loads(row.body) for row in archive.rows(0, 1 << 20, 1 << 30)]
        return [one for one in bodies if one.get("inspection") == about]

    def close(self) -> None:
        self.reader.close()
        self.journal.close()
        self.queue.close()
