"""A file system of 32 MiB, filled to the brim: the line decides, alarms, and recovers by itself."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.status import of_service
from edge.store.archive import Archive
from edge.store.verify import verify
from tests.appliance.station import SOME_OF_EACH, config_of, station
from tests.faults.smallfs import MEGABYTE, SmallFs, small_fs
from tests.simulators.patience import until

CAMERA = {"source": "synthetic", "seed": 3, "width": 320, "height": 240, "parts_per_second": 60}
AWAY = {"broker": "mqtt://127.0.0.1:9", "acknowledge": "collector"}
"""Nobody acknowledges: no record may go."""


def a_moment() -> None:
    threading.Event().wait(0.02)


class Line:
    """A line whose state directory lies on the small file system."""

    def __init__(self, settings: Path, small: SmallFs, said: Path) -> None:
        self.settings, self.small, self.said = settings, small, said
        command = [sys.executable, "-m", "edge", "run", "--decisions", "--config", str(settings)]
        self._out = open(said, "wb")  # noqa: SIM115
        self._log = open(said.with_suffix(".log"), "wb")  # noqa: SIM115
        self.process = subprocess.Popen(small.command(command), stdout=self._out, stderr=self._log)

    def decided(self) -> int:
        """How many parts have their answer."""
        return self.said.read_bytes().count(b"\n")

    def recorded(self) -> int:
        """How many parts are recorded."""
        with Archive(self.database) as archive:
            return archive.counts().get("inspection/1", 0)

    @property
    def database(self) -> Path:
        """As the test sees it."""
        inside = config_of(self.settings).state_dir.relative_to(self.small.inside)
        return self.small.folder / inside / "line.db"

    def causes(self) -> list[str]:
        """What the status says is wrong."""
        content = of_service(config_of(self.settings), "line").content
        return [str(cause["what"]) for cause in content.get("causes", [])]  # type: ignore[attr-defined]

    def goes_on(self, count: Callable[[], int], by: int = 60) -> None:
        """Wait until so many more."""
        until_there = count() + by
        until(lambda: count() >= until_there or self.process.poll() is not None, a_moment)
        assert self.process.poll() is None

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._out.close()
        self._log.close()


@contextmanager
def line_on_a_small_disk(tmp_path: Path, **sections: Any) -> Iterator[Line]:
    with small_fs(tmp_path / "small") as small:
        settings = station(
            tmp_path,
            CAMERA,
            state_dir="small/state",
            status_dir="status",
            **{"decision": SOME_OF_EACH, "escalation": {"deadline_s": 1.0}, **sections},
        )
        line = Line(settings, small, tmp_path / "said")
        try:
            until(lambda: line.decided() > 0 or line.process.poll() is not None, a_moment)
            yield line
        finally:
            line.close()


def records(line: Line) -> tuple[list[dict[str, Any]], int]:
    """Everything in the journal, which must be sound but for pictures that were given up; and how
    many parts it has recorded in all."""
    with Archive(line.database) as archive:
        finding = verify(archive, line.database.parent)
        assert finding.sound, finding
        made = [json.loads(row.body) for row in archive.rows(0, 1 << 30, 1 << 40)]
        return made, archive.counts()["inspection/1"]


def end(line: Line) -> list[str]:
    """Stop it; the ids of all parts that had their answer."""
    line.process.terminate()
    assert line.process.wait() == 0
    return [json.loads(text)["id"] for text in line.said.read_text().split("\n")[:-1]]


@pytest.mark.slow
@pytest.mark.parametrize("sections", [{}, {"sync": AWAY}], ids=["alone", "unacknowledged"])
def test_filled_to_the_brim_by_somebody_else(tmp_path: Path, sections: dict[str, Any]) -> None:
    with line_on_a_small_disk(tmp_path, storage={"images": "all"}, **sections) as line:
        line.goes_on(line.recorded, 20)
        filler = line.small.fill()
        until(line.causes, a_moment)
        line.goes_on(line.decided)
        filler.unlink()
        line.goes_on(line.recorded)
        until(lambda: line.causes() == [], a_moment)
        said = end(line)
        told, recorded = records(line)
    there = {record["id"] for record in told if record["schema"] == "inspection/1"}
    assert recorded == len(said), "a part that was decided was never recorded"
    assert there <= set(said)
    if sections:
        assert there == set(said), "an unacknowledged record is gone"
    assert any(record["schema"] == "alarm/1" for record in told)


@pytest.mark.slow
def test_it_fills_the_disk_itself(tmp_path: Path) -> None:
    """Its pictures alone would be more than the disk holds: the oldest of accepted parts go."""
    mostly = {**SOME_OF_EACH, "accept_below": 0.962, "reject_above": 0.965}
    with line_on_a_small_disk(
        tmp_path, storage={"images": "all"}, sync=AWAY, decision=mostly
    ) as line:
        filler = line.small.fill(leave=6 * MEGABYTE)
        for _ in range(5):
            line.goes_on(line.decided, 50)
            line.goes_on(line.recorded, 50)
        assert line.small.free > 0
        filler.unlink()
        said = end(line)
        told, _ = records(line)
        kept = {path.stem for path in (line.database.parent / "images").rglob("*.jpg")}
    made = [record for record in told if record["schema"] == "inspection/1"]
    assert {record["id"] for record in made} == set(said)
    seen = [record for record in made if record["reason"] != "overrun"]
    without = [record for record in seen if record.get("image_missing")]
    assert len(without) < len(made) / 10
    gone = [record for record in made if record["image"] and record["id"] not in kept]
    assert len(gone) > 50
    assert {record["decision"] for record in gone} == {"accept"}
