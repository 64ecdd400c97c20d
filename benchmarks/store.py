"""Figure 7: durable records a second through our writer, and through bare SQLite.

Both sides write the same parts (an inspection and its disposition each) to the same disk, 1,000
records a transaction, WAL with `synchronous=FULL`, one slice of each in turn. The bare side turns
each record into JSON and inserts it with `executemany`: no chain, no look-ups, no counters. The
second ratio gives the bare side its rows ready-made, as an upper bound that no writer of records
can reach.

    python benchmarks/store.py [--slices 8] [--records 10000] [--folder .]
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

from edge.records import Cuts, Disposition, ImageRef, Inspection, Latency, Moment, Origin, uuid7
from edge.store.journal import Journal

TOGETHER = 1000
ORIGIN = Origin("plant-a/line-3/caps", str(uuid.uuid4()), "c" * 64, "1.0.0")
MODEL = {"name": "rings", "version": "1.2.0", "bundle": "a" * 64}
CUTS = Cuts(0.08, 0.91, True, str(uuid.uuid4()))
Records = Sequence[Inspection | Disposition]


def part(number: int) -> Records:
    """A sure part as the line records it."""
    moment = Moment(1.8e9 + number / 10, number * 10**8, True)
    score = (number % 997) / 1e5 + 0.0312345678
    inspection = Inspection(
        id=uuid7(moment.wall, uuid.uuid4().int),
        origin=ORIGIN,
        captured=moment,
        decision="accept",
        reason="confident",
        automation="partial",
        part_id=f"P-{number}",
        model=MODEL,
        runtime="litert 2.3.0",
        cuts=CUTS,
        score=score,
        label="good",
        scores={"good": 1 - score, "defect": score},
        would_be="accept",
        spot_check={"p": 0.004, "drawn": False},
        latency=Latency(0.0123, 0.4567, 1.2345, 1.7035),
        image=ImageRef(f"images/2026-11-20/12/{number}.jpg", "d" * 64),
        view="e" * 64,
    )
    disposition = Disposition(
        uuid7(moment.wall, uuid.uuid4().int),
        *(ORIGIN, moment, inspection.id, "accept", "model", inspection.part_id),
    )
    return inspection, disposition


class Bare:
    """What one writes first: JSON texts in a table."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.execute("CREATE TABLE records (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)")

    def from_records(self, records: Records) -> None:
        """Turn each into JSON, then insert."""
        self.ready_made([(json.dumps(record.content()),) for record in records])

    def ready_made(self, rows: Sequence[tuple[str]]) -> None:
        """Only insert."""
        self.database.execute("BEGIN IMMEDIATE")
        self.database.executemany("INSERT INTO records (body) VALUES (?)", rows)
        self.database.execute("COMMIT")


def rate(write: Callable[[Sequence[object]], object], items: Sequence[object]) -> float:
    """Items a second, `TOGETHER` in each transaction."""
    begun = time.perf_counter()
    for start in range(0, len(items), TOGETHER):
        write(items[start : start + TOGETHER])
    return len(items) / (time.perf_counter() - begun)


def main() -> None:
    """Run the slices in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--records", type=int, default=10_000, help="in each slice")
    parser.add_argument("--folder", type=Path, help="on the disk to be measured")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
        journal = Journal.open(Path(folder, "line.db"), "boot", 0)
        bare, ready = Bare(Path(folder, "bare.db")), Bare(Path(folder, "ready.db"))
        rates: dict[str, list[float]] = {"ours": [], "bare": [], "ready": []}
        for slice_ in range(wanted.slices):
            numbers = range(slice_ * wanted.records, slice_ * wanted.records + wanted.records // 2)
            records = [record for number in numbers for record in part(number)]
            rows = [(json.dumps(record.content()),) for record in records]
            rates["ours"].append(rate(journal.append, records))
            rates["bare"].append(rate(bare.from_records, records))
            rates["ready"].append(rate(ready.ready_made, rows))
        journal.close()
    ours, other, most = (statistics.median(rates[name]) for name in ("ours", "bare", "ready"))
    print(f"records of {len(rows[0][0])} and {len(rows[1][0])} bytes, {TOGETHER} a transaction")
    print(f"ours {ours:,.0f}/s · bare {other:,.0f}/s · bare with ready-made rows {most:,.0f}/s")
    print(f"figure 7: ours ÷ bare = {ours / other:.2f} (aim ≥ 0.50)")
    print(f"          ours ÷ bare with ready-made rows = {ours / most:.2f}")


if __name__ == "__main__":
    main()
