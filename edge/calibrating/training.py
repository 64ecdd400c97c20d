"""Nobody calibrates on training pictures: what a bundle says about those it was made from."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edge.calibrating.gathered import Unusable
from inference.bundle import Bundle

KEY = "training_pictures"
"""In the bundle's `lineage`: the sha256 of the file of each picture that the model learnt from."""
HASH = re.compile(r"^[0-9a-f]{64}$")
SAY = "--not-trained-on-these"


class Overlap(Unusable):
    """The model learnt from these very pictures."""


def training_hashes(bundle: Bundle) -> frozenset[str] | None:
    """The hashes; None where the bundle carries none, or not only hashes."""
    listed = bundle.manifest.lineage.get(KEY)
    if not isinstance(listed, list | tuple) or not listed:
        return None
    hashes = frozenset(str(one).lower() for one in listed)
    return hashes if all(HASH.match(one) for one in hashes) else None


def refuse_overlap(hashes: frozenset[str], pictures: Sequence[str]) -> None:
    """Raises Overlap where a picture is one of those that the model learnt from."""
    known = [digest for digest in pictures if digest in hashes]
    if known:
        raise Overlap(
            f"{len(known)} of {len(pictures)} pictures were used to train this model, such as"
            f" sha256 {known[0]}: on these it looks better than it is",
            "calibrate with pictures that were taken after training",
        )
