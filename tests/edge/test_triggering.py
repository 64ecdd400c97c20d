"""What gives parts, by the camera and the pace of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from camera.frame import Frame
from camera.synthetic import SyntheticSource
from edge.clock import Clock
from edge.config import Config
from edge.line.trigger import Continuous, Interval
from edge.triggering import triggering
from edge.workers.overruns import Overruns
from tests.appliance.station import config_of, station


def config(folder: Path, every_ms: float | None) -> Config:
    camera = {"source": "synthetic", "parts_per_second": 0}
    pace = {} if every_ms is None else {"trigger": {"source": "interval", "every_ms": every_ms}}
    return config_of(station(folder, camera, **pace))


@pytest.mark.parametrize(
    ("live", "every_ms", "kind", "seen", "overrun"),
    [
        (True, None, Continuous, [2], 1),
        (True, 50.0, Interval, [2], 0),
        (False, None, Continuous, [1, 2], 0),
        (False, 50.0, Interval, [1, 2], 0),
    ],
)
def test_a_live_camera_never_waits_and_without_a_pace_each_picture_is_a_part(
    tmp_path: Path, live: bool, every_ms: float | None, kind: type, seen: list[int], overrun: int
) -> None:
    source, overruns = SyntheticSource(seed=1), Overruns()
    source.live = live
    supervisor, trigger = triggering(config(tmp_path, every_ms), source, overruns, Clock())
    assert type(trigger) is kind
    feed = supervisor._feed
    for number in (1, 2):
        feed.put(Frame(None, number, 0.0, number))
    feed.end()
    found = []
    while (frame := feed.get(0)) is not None:
        found.append(frame.number)
    assert (found, overruns.total) == (seen, overrun)
