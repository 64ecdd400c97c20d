"""A real writer process for tests: `python -m tests.edge.store.writer DATABASE [BATCHES]`.

Appends parts until it is killed, or that many batches, and prints `seq hash` of each record after
it was told that it is committed. With BATCHES it then prints `done` and waits for its input to end.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

from edge.store.journal import Journal
from tests.edge.store.builders import disposition, due, inspection


def main() -> None:
    journal = Journal.open(Path(sys.argv[1]), "boot-1", time.monotonic_ns())
    batches = int(sys.argv[2]) if len(sys.argv) > 2 else None
    for number in itertools.count() if batches is None else range(batches):
        sure, unsure = inspection(2 * number), inspection(2 * number + 1, "escalate", asked=True)
        open_ones = journal.open_escalations()
        answered = open_ones[: len(open_ones) // 2]
        records = [sure, disposition(sure), unsure]
        records += [disposition_of(waiting.inspection) for waiting in answered]
        for done in journal.append(records, deadlines=due(unsure), state={"batch": str(number)}):
            sys.stdout.write(f"{done.seq} {done.hash}\n")
        sys.stdout.flush()
    sys.stdout.write("done\n")
    sys.stdout.flush()
    sys.stdin.read()


def disposition_of(about: str):
    from dataclasses import replace

    made = disposition(inspection(0), "fallback", "hold")
    return replace(made, inspection=about)


if __name__ == "__main__":
    main()
