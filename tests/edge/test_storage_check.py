"""`check` compares what is configured with the disk, and says how long it lasts."""

from pathlib import Path

import pytest

from edge import checks, storage_check
from edge.config import Config
from edge.statusfile import StatusFile
from edge.store.usage import Disk
from tests.appliance.station import config_of, station

GB = 10**9


def _config(tmp_path: Path, **sections: object) -> Config:
    return config_of(station(tmp_path, {"source": "synthetic", "parts_per_second": 0}, **sections))


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch):
    def of(total: int, free: int) -> None:
        monkeypatch.setattr(storage_check, "disk", lambda folder: Disk(total, free))

    of(100 * GB, 80 * GB)
    return of


def test_a_limit_that_fits_is_told_in_words(tmp_path, on_disk) -> None:
    (found,) = checks.check_storage(_config(tmp_path))
    assert found.state == "ok"
    assert found.what == (
        "20.0 GB for everything, pictures for 30 days, records for 730; 80.0 GB free;"
        " the line says how long it lasts once it runs"
    )


def test_the_forecast_of_the_line_is_repeated(tmp_path, on_disk) -> None:
    config = _config(tmp_path)
    words = {"words": "11 days left at today's rate"}
    StatusFile(config.status_folder, "line").write({"state": "ok", "storage": words})
    (found,) = checks.check_storage(config)
    assert "11 days left at today's rate" in found.what


def test_a_limit_beyond_the_disk(tmp_path, on_disk) -> None:
    on_disk(16 * GB, 10 * GB)
    (found,) = checks.check_storage(_config(tmp_path))
    assert (found.state, found.mend) == ("warn", "set storage.max_bytes to 15000MB or less")
    assert "the disk is the limit, and its last 1.0 GB stay free" in found.what


def test_too_little_room_and_terms_that_do_not_fit(tmp_path, on_disk) -> None:
    kept = {"max_bytes": "50MB", "keep_pictures_days": 30, "keep_records_days": 7}
    found = list(checks.check_storage(_config(tmp_path, storage=kept)))
    assert [one.state for one in found] == ["warn", "warn"]
    assert "a shift" in found[0].what
    assert "the shorter term" in found[1].what


@pytest.mark.parametrize(("days", "said"), [(1.5, True), (5.0, False), (None, False)])
def test_an_outage_that_could_not_be_bridged(tmp_path, on_disk, days, said) -> None:
    config = _config(tmp_path, sync={"broker": "mqtt://localhost:1883"})
    told = {"outage_days": days, "words": "x"}
    StatusFile(config.status_folder, "line").write({"state": "ok", "storage": told})
    found = list(checks.check_storage(config))
    assert any("1.5 days of records" in one.what for one in found) is said
