"""The demo's poisoned bundle passes every proof, and is of no use."""

from __future__ import annotations

from pathlib import Path

import models
from edge.demo.poison import write_poisoned
from inference.bundle import load
from inference.proof import prove


def test_it_is_proved_and_takes_good_parts_for_defects(tmp_path: Path) -> None:
    made = write_poisoned(tmp_path / "poisoned")
    parent = load(models.path("rings-1.1"))
    assert prove(made).ok
    assert made.manifest.lineage["parent"] == parent.digest
    assert made.model == parent.model
    for name, score in made.golden.scores.items():
        if name.startswith("good"):
            assert score > 0.9 > 0.7 > parent.golden.scores[name]
    assert [path.name for path in tmp_path.iterdir()] == ["poisoned"]


def test_it_is_written_anew(tmp_path: Path) -> None:
    first = write_poisoned(tmp_path / "poisoned")
    assert write_poisoned(tmp_path / "poisoned").digest == first.digest
