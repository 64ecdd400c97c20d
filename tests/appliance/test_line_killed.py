"""`kill -9` of the line, 50 times: what it had reported as recorded is there afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.store.archive import Archive
from edge.store.verify import verify
from tests.appliance.station import config_of, pictures, rows, start, station

KILLS = 50


def killed_after(settings: Path, records: int) -> list[str]:
    """Run the line, kill it once it has reported so many records; the whole lines it printed."""
    with start(settings, "run", "--json") as line:
        assert line.stdout is not None
        printed = [line.stdout.readline() for _ in range(records)]
        assert printed[-1], "the line ended by itself"
        line.kill()
        printed += line.stdout.readlines()
    return [text.rstrip("\n") for text in printed if text.endswith("\n")]


@pytest.mark.slow
def test_everything_reported_is_there(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pictures", 12)
    settings = station(
        tmp_path,
        {"source": "folder", "path": str(folder), "loop": True},
        storage={"images": "escalated+rejected+random:0.5"},
    )
    reported: set[str] = set()
    for turn in range(KILLS):
        # another number of records each time, so that the kill falls at another moment
        reported |= set(killed_after(settings, 1 + turn * 7 % 60))
    recorded = {row.body.decode() for row in rows(settings)}
    assert len(reported) > KILLS
    assert reported <= recorded
    state_dir = config_of(settings).state_dir
    with Archive(state_dir / "line.db") as archive:
        finding = verify(archive, state_dir)
    assert finding.sound
    assert finding.checked_pictures > 0
