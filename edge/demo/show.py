"""Runs the demo: prepare, calibrate, start the children, show, end."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.live import Live
from rich.progress import Progress

from edge.access.person import Language
from edge.cli.errors import fail, say
from edge.config import Config
from edge.config_file import load
from edge.demo.calibrating import calibration_for, make_calibration
from edge.demo.children import Children
from edge.demo.joining import Joining, join
from edge.demo.operators import Operators
from edge.demo.station import ALLOWED_S, DemoStation
from edge.demo.tally import Tally
from edge.demo.view import Seen, joining_line, last_line, one_line, screen
from edge.rollout import pinned
from edge.status import of_service
from edge.store.archive import Archive

FRAMES_PER_SECOND = 4
LINE_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """How this demo shall be: it ends after `parts`, `operators` answer beside the person."""

    parts: int | None = None
    operators: int = 0
    language: Language = "en"


def show(station: DemoStation, wishes: Wishes) -> None:
    """Run until Ctrl-C, SIGTERM, or enough parts. Fails when a child ends by itself."""
    config = load(station.config_file)
    with _until_signal() as stop:
        calibrate(config, None if station.fleet is None else station.fleet.labelled)
        if stop.is_set():
            return
        joining = join(config, station.address, wishes.operators, wishes.language)
        line_db = config.state_dir / "line.db"
        with Children(station) as children, Archive(line_db) as archive:
            children.start()
            with Operators(line_db, station.web_port, joining.tokens, ALLOWED_S):
                _watch(Demo(station, config, children, archive, stop, joining, wishes.parts))
        _say_goodbye(station, config)


class Demo:
    """One running demo, as the loop sees it."""

    def __init__(
        self,
        station: DemoStation,
        config: Config,
        children: Children,
        archive: Archive,
        stop: threading.Event,
        joining: Joining,
        most: int | None = None,
    ) -> None:
        self.tally = Tally()
        self.stop = stop
        self.joining = joining
        self._station = station
        self._config = config
        self._children = children
        self._archive = archive
        self._most = most
        self._calibration = calibration_for(config).calibration

    def look(self) -> Seen:
        """This moment; sets `stop` when enough parts are done. Fails when a child has died."""
        for child in self._children.dead():
            fail(f"the demo's {child.name} ended by itself", f"see {child.log}")
        try:
            self.tally.read(self._archive)
        except sqlite3.Error as error:
            fail(f"the demo's records cannot be read: {error}")
        if self._most is not None and self.tally.inspections >= self._most:
            self.stop.set()
        line = of_service(self._config, "line")
        sync = of_service(self._config, "sync") if self._config.sync else None
        return Seen(
            self.tally,
            dict(line.content) if line.running else {},
            None if sync is None else dict(sync.content),
            self._calibration,
            _short(self._station.config_file),
            typed(),
            self.joining,
            self._station.fleet,
        )


def _watch(demo: Demo) -> None:
    console = Console()
    if not console.is_terminal:
        say(joining_line(demo.joining))
        while not demo.stop.wait(LINE_EVERY_S if demo.tally.inspections else 1.0):
            say(one_line(demo.look()))
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(screen(demo.look(), console.width, console.height), refresh=True)
            if demo.stop.wait(1 / FRAMES_PER_SECOND):
                return


def calibrate(config: Config, labelled: Path | None = None) -> None:
    """Make the demo's calibration where there is none that fits; shows how far it is.

    With `labelled` its pictures are kept, for new models (see edge/demo/labelled.py).
    """
    kept = labelled is None or pinned.read(config.state_dir) is not None
    if calibration_for(config).calibration is not None and kept:
        return
    words = "calibrating on simulated parts (once)"
    if not sys.stderr.isatty():
        say(words)
        make_calibration(config, lambda done, of: None, labelled)
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(words)

        def tell(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of)

        make_calibration(config, tell, labelled)


def _say_goodbye(station: DemoStation, config: Config) -> None:
    tally = Tally()
    with Archive(config.state_dir / "line.db") as archive:
        tally.read(archive)
    sync = of_service(config, "sync") if config.sync else None
    content = None if sync is None else dict(sync.content)
    say(last_line(Seen(tally, {}, content, None, "")))
    folder = _short(station.folder)
    where = "" if folder == "demo-state" else f" --folder {folder}"
    where += "" if station.fleet is None else " --fleet"
    say(f"everything is in {folder}; `{typed()} demo{where}` goes on there, --fresh begins anew")


def typed() -> str:
    """What a person types here to start this very edge-inspect: found on PATH, or beside Python."""
    beside = Path(sys.executable).parent / "edge-inspect"
    found = shutil.which("edge-inspect")
    if found is not None and Path(found).resolve() == beside.resolve():
        return "edge-inspect"
    return _short(beside) if beside.exists() else f"{_short(Path(sys.executable))} -m edge"


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


@contextmanager
def _until_signal() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one ends the demo at once."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
