"""A disk of 32 MiB filled to the brim, by pictures and by others: the line goes on by itself."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.store.archive import Archive
from edge.store.verify import Finding, verify
from tests.appliance.station import SOME_OF_EACH, config_of, station
from tests.faults.smallfs import MEGABYTE, SmallFs, small_fs
from tests.simulators.patience import until

CAMERA = {"source": "synthetic", "parts_per_second": 150, "width": 640, "height": 480}
REFUSED = "database or disk is full"


def a_moment() -> None:
    threading.Event().wait(0.05)


class Running:
    """A line whose state lies on a small file system."""

    def __init__(self, settings: Path, said: Path, fs: SmallFs) -> None:
        self.settings, self.config, self.fs, self._said = settings, config_of(settings), fs, said
        # Seen from outside, where an ordinary user has the file system in a name space.
        self.state_dir = fs.folder / "state"
        with open(said, "w") as out, open(said.with_suffix(".log"), "w") as log:
            words = [sys.executable, "-m", "edge", "run", "--json", "--config", str(settings)]
            self.process = subprocess.Popen(fs.command(words), stdout=out, stderr=log, text=True)

    def status(self) -> dict[str, Any]:
        """What it says of itself; empty before it says anything."""
        try:
            return dict(json.loads((self.config.status_folder / "line.json").read_text()))
        except OSError:
            return {}

    def storage(self, name: str) -> Any:
        """A member of `storage`."""
        return self.status().get("storage", {}).get(name)

    def causes(self) -> str:
        """Everything that is wrong."""
        return "; ".join(cause["what"] for cause in self.status().get("causes", []))

    def until(self, seen: Callable[[], object]) -> None:
        """Wait for it, while the line lives."""

        def look() -> bool:
            assert self.process.poll() is None, self._said.with_suffix(".log").read_text()[-2000:]
            return bool(seen())

        until(look, a_moment)

    def goes_on(self) -> None:
        """Parts still get an answer, if need be that a person has to look."""

        def answered() -> int:
            status = self.status()
            return int(status["inspected"]) + int(status["overruns"])

        before = answered()
        self.until(lambda: answered() > before + 20)

    def is_well(self) -> bool:
        """Nothing of storage is wrong any more, and records are written."""
        wrong = self.causes()
        words = (REFUSED, "No space", "the last room", "are used")
        return self.storage("ballast") is True and not any(word in wrong for word in words)

    def stop(self) -> int:
        """As the service manager does."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()

    def verify(self) -> Finding:
        """As `results --verify`."""
        with Archive.open(self.state_dir / "line.db") as archive:
            return verify(archive, self.state_dir)

    def printed(self) -> list[int]:
        """The numbers of all records that it has reported as recorded."""
        lines = self._said.read_text().split("\n")[:-1]
        return [json.loads(line)["seq"] for line in lines]


@contextmanager
def running(tmp_path: Path, **sections: Any) -> Iterator[Running]:
    """A line that keeps all pictures on a disk of which 4 MiB are free."""
    with small_fs(tmp_path / "fs") as fs:
        fs.fill(leave=4 * MEGABYTE)
        settings = station(
            tmp_path,
            CAMERA,
            state_dir=str(fs.inside / "state"),
            status_dir=str(tmp_path / "status"),
            storage={"images": "all"},
            escalation={"deadline_s": 0.3},
            decision=SOME_OF_EACH,
            **sections,
        )
        line = Running(settings, tmp_path / "said", fs)
        try:
            yield line
        finally:
            line.process.kill()
            line.process.wait()


@pytest.mark.slow
def test_old_pictures_make_room_before_anything_is_refused(tmp_path: Path) -> None:
    with running(tmp_path) as line:
        line.until(lambda: (line.storage("given_up") or 0) > 30)
        line.goes_on()
        assert line.status()["unrecorded"] == 0
        assert REFUSED not in line.causes()
        assert line.stop() == 0
        finding = line.verify()
        assert finding.sound
        assert finding.given_up > 30
        last = finding.anchor.seq + finding.records
        assert line.printed() == list(range(1, last + 1))


@pytest.mark.slow
def test_filled_to_the_brim_it_decides_alarms_and_recovers_by_itself(tmp_path: Path) -> None:
    sync = {"broker": "mqtt://127.0.0.1:9", "acknowledge": "collector"}
    with running(tmp_path, sync=sync) as line:
        line.until(lambda: (line.storage("given_up") or 0) > 0)

        def refused() -> bool:
            line.fs.fill()
            return REFUSED in line.causes()

        line.until(refused)
        assert line.status()["state"] == "degraded"
        line.goes_on()
        # With no room for records, parts wait in memory as overruns: escalated, without a picture.
        line.until(lambda: line.fs.fill() and line.status()["overruns"] > 100)
        assert line.storage("deleted") == 0, "nobody has acknowledged a record"
        (line.fs.folder / "filler").unlink()
        line.until(line.is_well)
        recorded = line.status()["recorded"]["seq"]
        line.until(lambda: line.status()["recorded"]["seq"] > recorded + 50)
        assert line.status()["unrecorded"] == 0
        assert line.stop() == 0
        finding = line.verify()
        assert finding.sound
        assert finding.anchor.seq == 0
        last = finding.anchor.seq + finding.records
        assert line.printed() == list(range(1, last + 1))
