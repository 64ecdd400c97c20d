"""Draws docs/images/demo.svg: the demo's view after some hundred simulated parts, really decided.

`make screenshot` runs it: a demo of its own, in a folder that it removes again.
"""

from __future__ import annotations

import io
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from edge.cli.errors import say
from edge.config_file import load
from edge.demo import show
from edge.demo.children import Children
from edge.demo.joining import join
from edge.demo.operators import Operators
from edge.demo.station import ALLOWED_S, PORT, find_mosquitto, prepare
from edge.demo.view import Seen, screen
from edge.store.archive import Archive

OUT = Path(__file__).parent / "images" / "demo.svg"
PARTS = 400
PARTS_PER_SECOND = 8.0
OPERATORS = 2
COLUMNS = 112


def main() -> None:
    """Run a demo for PARTS parts and a few more, and write the picture."""
    with tempfile.TemporaryDirectory() as scratch:
        station = prepare(
            Path(scratch, "demo-state"), PARTS_PER_SECOND, find_mosquitto() is not None
        )
        config = load(station.config_file)
        show.calibrate(config)
        joining = join(config, station.address, OPERATORS, "en")
        stop, line_db = threading.Event(), config.state_dir / "line.db"
        with Children(station) as children, Archive(line_db) as archive:
            children.start()
            with Operators(line_db, station.web_port, joining.tokens, ALLOWED_S):
                demo = show.Demo(station, config, children, archive, stop, joining)
                while not stop.wait(0.2):
                    seen = demo.look()
                    if seen.tally.inspections > PARTS and _shows_all(seen):
                        stop.set()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    # what a reader types in a fresh clone, not the scratch folder of this script
    shown = replace(
        seen,
        command=".venv/bin/edge-inspect",
        config_file="demo-state/edge-inspect.yaml",
        joining=replace(joining, address=f"http://127.0.0.1:{PORT}"),
    )
    console.print(screen(shown))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(console.export_svg(title="edge-inspect demo"))
    say(f"wrote {OUT}")


def _shows_all(seen: Seen) -> bool:
    """Whether each decision is among the last ones."""
    shown = {record["decision"] for record in seen.tally.last}
    return shown == {"accept", "reject", "escalate"}


if __name__ == "__main__":
    main()
