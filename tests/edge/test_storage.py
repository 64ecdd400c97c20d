"""Room for a start on a full disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.config import Config
from edge.retention.ballast import NAME
from edge.store import usage
from edge.wiring import build
from tests.appliance.station import config_of, station

CAMERA = {"source": "synthetic", "parts_per_second": 0}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = config_of(station(tmp_path, CAMERA))
    made.state_dir.mkdir(parents=True, exist_ok=True)
    (made.state_dir / NAME).write_bytes(bytes(2 << 20))
    return made


@pytest.mark.parametrize(("free", "aboard"), [(0, False), (1 << 30, True)])
def test_a_full_disk_loses_its_ballast_before_the_database_is_opened(
    config: Config, monkeypatch: pytest.MonkeyPatch, free: int, aboard: bool
) -> None:
    monkeypatch.setattr(usage, "disk", lambda folder: usage.Disk(64 << 20, free))
    seen: list[bool] = []

    def begin(*_: object) -> None:
        seen.append((config.state_dir / NAME).exists())
        raise OSError("far enough")

    monkeypatch.setattr("edge.wiring.EnduringJournal.begin", begin)
    with pytest.raises(OSError, match="far enough"):
        build(config)
    assert seen == [aboard]
