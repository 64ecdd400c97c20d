"""A running line takes a calibration without a restart; every part stands behind its record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.asking import ask_line
from edge.status import of_service
from tests.appliance.station import config_of, rows, start, station
from tests.edge.test_standards import make
from tests.inference.bundles import until

CAMERA = {"source": "synthetic", "seed": 3, "width": 160, "height": 120, "parts_per_second": 50}


def records(settings: Path) -> list[dict[str, Any]]:
    return [json.loads(row.body) for row in rows(settings)]


def decided(settings: Path, calibration: str | None) -> list[dict[str, Any]]:
    return [
        record
        for record in records(settings)
        if record["schema"] == "inspection/1" and record["calibration"] == calibration
    ]


def enough(settings: Path, calibration: str | None) -> Callable[[], bool]:
    return lambda: len(decided(settings, calibration)) >= 10


def _apply_one_after_the_other(settings: Path, calibrations: tuple[str, ...]) -> None:
    config = config_of(settings)
    until(enough(settings, None))
    for calibration in calibrations:
        before = len(decided(settings, calibration))
        arguments = {"calibration": calibration, "reason": "a test"}
        answer = ask_line(config, "apply_calibration", arguments, "anna")
        assert answer is not None
        assert answer["ok"], answer
        until(lambda known=calibration, n=before: len(decided(settings, known)) >= n + 10)
    until(lambda: of_service(config, "line").content.get("calibration") == calibrations[-1])


def test_a_running_line_takes_it_at_once(tmp_path: Path) -> None:
    settings = station(tmp_path, CAMERA, decision={"automation": "partial"})
    first, second = make(settings), make(settings, accept_below=0.5, reject_above=0.5)
    with start(settings, "run") as line:
        try:
            _apply_one_after_the_other(settings, (first, second, first))
        finally:
            line.terminate()
        assert line.wait() == 0
    applied: list[str] = []
    for record in records(settings):
        if record["schema"] == "calibration/1":
            applied.append(record["id"])
        elif record["schema"] == "inspection/1" and record["calibration"] is not None:
            assert record["calibration"] in applied
    assert applied == [first, second, first]
    # the limit goes a moment after the cuts came: until then the parts are escalated
    # (one that had no room is recorded at once, before those that are still being looked at)
    looked_at = [one for one in decided(settings, first) if one["reason"] != "overrun"]
    degrees = [one["automation"] for one in looked_at]
    assert degrees == sorted(degrees, reverse=True)
    assert degrees[-1] == "partial"
    assert {one["automation"] for one in decided(settings, None)} == {"shadow"}
