"""What can be set, and what is refused."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from camera.simulated.options import Fault, SyntheticOptions


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"seed": -1}, "seed"),
        ({"width": 63}, "size"),
        ({"height": 8193}, "size"),
        ({"parts_per_second": -1}, "parts_per_second"),
        ({"parts_per_second": float("nan")}, "parts_per_second"),
        ({"defect_rate": 1.1}, "defect_rate"),
        ({"defect_rate": float("nan")}, "defect_rate"),
        ({"defect_weights": {"crack": 1}}, "'crack'"),
        ({"defect_weights": {}}, "defect_weights"),
        ({"defect_weights": {"dent": -1, "stain": 2}}, "defect_weights"),
        ({"severity": (0.5, 0.4)}, "severity"),
        ({"brightness": 0}, "brightness"),
        ({"drift": float("nan")}, "drift"),
        ({"empty_every": -1}, "empty_every"),
        ({"first": 0}, "first"),
        ({"limit": -1}, "limit"),
    ],
)
def test_impossible_values_are_refused_by_name(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        SyntheticOptions(**changes)


@pytest.mark.parametrize(("kind", "at", "count"), [("fire", 1, 1), ("gone", 0, 1), ("gone", 1, 0)])
def test_impossible_faults_are_refused(kind: str, at: int, count: int) -> None:
    with pytest.raises(ValueError, match=kind):
        Fault(kind, at, count)


def test_a_fault_covers_its_parts() -> None:
    fault = Fault("freeze", 5, 2)
    assert [number for number in range(10) if fault.covers(number)] == [5, 6]


def test_options_travel_to_other_processes() -> None:
    options = SyntheticOptions(seed=9, faults=(Fault("gone", 3),))
    assert pickle.loads(pickle.dumps(options)) == options
