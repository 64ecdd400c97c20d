"""Nobody calibrates on training pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.calibrating.gathered import Unusable
from edge.calibrating.training import refuse_overlap, training_hashes
from tests.inference import bundles

ONE, OTHER = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("lineage", "hashes"),
    [
        ({}, None),
        ({"training_pictures": []}, None),
        ({"training_pictures": "a" * 64}, None),
        ({"training_pictures": ["not a hash"]}, None),
        ({"training_pictures": [ONE, OTHER.upper()]}, {ONE, OTHER}),
    ],
)
def test_what_a_bundle_says(
    tmp_path: Path, lineage: dict[str, object], hashes: set[str] | None
) -> None:
    assert training_hashes(bundles.make(tmp_path, lineage=lineage)) == hashes


def test_an_overlap_is_refused() -> None:
    refuse_overlap(frozenset({ONE}), [OTHER])
    with pytest.raises(Unusable, match="1 of 2 pictures were used to train"):
        refuse_overlap(frozenset({ONE}), [OTHER, ONE])
