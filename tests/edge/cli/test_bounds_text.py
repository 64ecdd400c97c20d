"""The watched bounds in words."""

from __future__ import annotations

import json

from edge.cli.bounds_text import bounds_lines
from edge.monitor.bounds import Bounds, Wanted
from edge.monitor.watched import figures
from tests.edge.monitor.test_bounds import challenge, feed


def test_every_figure_has_its_bounds_and_every_instrument_its_sentence() -> None:
    bounds = Bounds(Wanted(0.01, 0.05, 0.95, 20, max_slip=0.001))
    feed(bounds, "accept", "accept", 30)
    feed(bounds, "accept", None)
    for _ in range(3):
        bounds.inspection(challenge("defect", "reject"))
    shown = {"calibration": "cal-1", **json.loads(json.dumps(figures(bounds, 2.0)))}
    lines = bounds_lines(shown, {"truth": "good", "left": 4})
    assert lines[:2] == [
        "challenge: the next 4 parts are good",
        "bounds since calibration cal-1 (31 parts):",
    ]
    assert lines[2].startswith("  slip (defects among the accepted): 0, between 0 and 0.")
    assert lines[2].endswith("(target 0.001); 30 checks answered, 1 not")
    assert "nothing measured; 0 checks" in lines[3]
    assert lines[4].endswith("(target 0.01), 0 of 3")
    sentences = [one["sentence"] for one in shown["power"]]
    assert [line.strip() for line in lines[6:-1]] == sentences
    assert "at most one in 10,000 looks" in lines[-1]
    assert len(sentences) == 8


def test_before_the_first_part_it_says_so() -> None:
    assert bounds_lines(None, None) == ["bounds: no part was decided by a calibration yet"]
