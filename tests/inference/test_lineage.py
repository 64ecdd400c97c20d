"""Where a model comes from, as far as its bundle may say it."""

from __future__ import annotations

import pytest
import yaml

from inference.lineage import LARGEST, lineage, problems
from inference.manifest import from_yaml, to_yaml
from tests.inference.bundles import manifest

HASH = "ab" * 32
GOOD = {
    "parent": HASH,
    "data_hash": "cd" * 32,
    "data": {"folder": "2026-11"},
    "training": {"run": "r-17", "epochs": 8},
    "metrics": {"auroc": 0.991, "share": "test"},
    "licence": "Apache-2.0",
}


def test_what_is_known_of_it_is_read() -> None:
    assert problems(GOOD) == []
    found = lineage(GOOD)
    assert (found.parent, found.data_hash) == (HASH, "cd" * 32)
    assert found.metrics["auroc"] == 0.991
    assert lineage({}).as_json() == {
        "parent": None, "data_hash": None, "data": {}, "training": {}, "metrics": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parent", "rings 1.0.0"),
        ("parent", HASH.upper()),
        ("data_hash", 17),
        ("training", "r-17"),
        ("metrics", [0.99]),
        ("data", "here"),
    ],
)
def test_a_field_of_another_kind_is_a_problem_of_the_manifest(key: str, value: object) -> None:
    text = to_yaml(manifest(lineage={**GOOD, key: value}))
    found, wrong = from_yaml(text)
    assert found is None
    assert [one.partition(":")[0] for one in wrong] == [f"lineage.{key}"]


def test_metrics_are_finite() -> None:
    assert problems({"metrics": {"auroc": float("nan")}})[0][0] == "metrics.auroc"


def test_it_is_bounded_but_for_the_list_of_pictures() -> None:
    assert problems({"training_pictures": [HASH] * 10_000}) == []
    assert problems({"note": "x" * LARGEST}) == [("", f"more than {LARGEST} bytes")]


def test_one_that_contains_itself_is_a_problem() -> None:
    content = yaml.safe_load("&a {data: {again: *a}}")
    assert problems(content) == [("", "it contains itself")]
