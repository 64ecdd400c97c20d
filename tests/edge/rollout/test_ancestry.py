"""From a bundle back to the data."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import models
from edge.rollout.ancestry import MANIFESTS, MOST_KEPT, Known, chain, known, remember
from inference.bundle import load
from inference.manifest import to_yaml

RINGS = load(models.path("rings"))
BETTER = load(models.path("rings-1.1"))


def test_the_shipped_model_goes_back_to_its_data() -> None:
    found = chain(BETTER.digest, BETTER.manifest, known([("@rings", models.path("rings"))]))
    assert [(one.name, one.version, one.where) for one in found] == [
        ("rings", "1.1.0", None),
        ("rings", "1.0.0", "@rings"),
    ]
    assert found[1].lineage.parent is None
    assert found[1].lineage.data_hash == RINGS.manifest.lineage["data_hash"]
    assert found[0].as_json()["metrics"] == BETTER.manifest.lineage["metrics"]


def test_a_parent_that_nobody_knows_is_named_by_its_digest() -> None:
    found = chain(BETTER.digest, BETTER.manifest, known([]))
    assert found[1].digest == RINGS.digest
    assert found[1].name is None


def test_a_circle_ends() -> None:
    other = "ef" * 32
    mine = replace(RINGS.manifest, lineage={"parent": other})
    theirs = replace(RINGS.manifest, lineage={"parent": RINGS.digest})
    circle: Known = {other: ("a", theirs), RINGS.digest: ("b", mine)}
    assert len(chain(RINGS.digest, mine, circle)) == 2


def test_what_was_installed_once_is_known_later(tmp_path: Path) -> None:
    remember(tmp_path, RINGS)
    found = chain(BETTER.digest, BETTER.manifest, known([], tmp_path))
    assert found[1].where == "installed here before"
    assert found[1].lineage.data_hash == RINGS.manifest.lineage["data_hash"]


def test_nonsense_among_what_is_kept_is_not_known(tmp_path: Path) -> None:
    remember(tmp_path, RINGS)
    (tmp_path / MANIFESTS / "not-a-digest.yaml").write_text(to_yaml(RINGS.manifest))
    (tmp_path / MANIFESTS / f"{'aa' * 32}.yaml").write_bytes(b"\xff: [")
    assert set(known([("x", tmp_path / "none")], tmp_path)) == {RINGS.digest}


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    folder = tmp_path / MANIFESTS
    folder.mkdir(parents=True)
    for number in range(MOST_KEPT + 5):
        path = folder / f"{number:064x}.yaml"
        path.write_text(to_yaml(RINGS.manifest))
        os.utime(path, (number, number))
    remember(tmp_path, RINGS)
    kept = {path.stem for path in folder.iterdir()}
    assert len(kept) == MOST_KEPT
    assert RINGS.digest in kept
    assert f"{0:064x}" not in kept
