"""A writer whose file is damaged again and again: `python -m tests.edge.store.damager DATABASE`.

Prints the body of each record after it was told that it is committed. What is damaged is a page
that belongs to no record, so that every record can be saved.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

from edge.recovery import aside, salvage
from edge.recovery.pages import PAGE
from tests.edge.store import damaged
from tests.edge.store.builders import due, inspection, sure

ROUNDS = 3


def main() -> None:
    path, times = Path(sys.argv[1]), damaged.Times()
    journal = damaged.begin(path, times)
    asked = inspection(1, "escalate", asked=True)
    tell(journal.append([asked], deadlines=due(asked)))
    journal.append([], state={"automation.degree": "partial"}, request_id="0" * 36)
    print("set", flush=True)
    for number in range(ROUNDS):
        tell(journal.append(sure(2)))
        if number == 1:  # found at a start, all in the database
            journal.close()
            spoil(path)
            journal = damaged.begin(path, times)
        else:  # found while it runs, all in the log
            spoil(path)
            times.now_ns += 2 * 10**9
        tell(journal.append(sure(2)))
        for case in aside.cases(path.parent):
            if not case.salvaged and number < 2:
                salvage.salvage(case, path.parent)
    journal.close()


def tell(committed) -> None:
    for done in committed:
        print(done.body.decode(), flush=True)


def spoil(path: Path) -> None:
    """Overwrite the root of an index wherever it lies; SQLite's own list of pages is enough."""
    for side in ("", "-wal"):
        file = path.with_name(path.name + side)
        if not file.exists():
            continue
        number, step, first = (_root(path), PAGE, 0) if not side else (_root(path), PAGE + 24, 32)
        handle = os.open(file, os.O_RDWR)
        size = os.fstat(handle).st_size
        if not side and size >= number * PAGE:
            os.pwrite(handle, b"\xff" * PAGE, (number - 1) * PAGE)
        for start in range(first, size, step) if side else ():
            if int.from_bytes(os.pread(handle, 4, start), "big") == number:
                os.pwrite(handle, b"\xff" * PAGE, start + 24)
        os.close(handle)


def _root(path: Path) -> int:
    """The page of `counts`, which every look at the file reads and no record needs."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    (number,) = database.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'counts'"
    ).fetchone()
    database.close()
    return int(number)


if __name__ == "__main__":
    main()
