"""A bundle that nobody should want: the demo has one, so that a person can push it and watch."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import models
from edge.calibrating.scoring import scorer
from inference.bundle import Bundle, load, write
from inference.manifest import Manifest
from inference.proof import decode

VERSION = "1.2.0"
SWAPPED = "scratch"
"""What the mistaken bundle takes for *good*, and the other way round."""


def write_poisoned(folder: Path) -> Bundle:
    """Write `rings` 1.2.0 to this folder, anew where it is there: two labels are mixed up.

    It is sound in every other way: its golden scores are its own, so that no proof finds a fault.
    Only the parts of a line show it. Raises BundleError, Unusable, NoPrediction, OSError.
    """
    parent = load(models.path("rings-1.1"))
    shutil.rmtree(folder, ignore_errors=True)
    manifest = _mixed_up(parent)
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        mistaken = write(draft, manifest, parent.model)
        golden = _golden(parent, mistaken)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return write(folder, manifest, parent.model, golden, parent.baseline, parent.golden.tolerance)


def _mixed_up(parent: Bundle) -> Manifest:
    output = parent.spec.output
    other = {"good": SWAPPED, SWAPPED: "good"}
    by_name = {label.name: label for label in output.labels}
    labels = tuple(by_name[other.get(label.name, label.name)] for label in output.labels)
    lineage = {
        "parent": parent.digest,
        "data_hash": parent.manifest.lineage["data_hash"],
        "training": {"note": f"exported with the labels good and {SWAPPED} mixed up"},
    }
    spec = replace(parent.spec, output=replace(output, labels=labels))
    return replace(parent.manifest, version=VERSION, spec=spec, lineage=lineage)


def _golden(parent: Bundle, mistaken: Bundle) -> dict[str, tuple[bytes, float]]:
    """The parent's golden pictures with the scores that the mistaken bundle gives them."""
    golden = {}
    with scorer(mistaken, 1) as model:
        for name in parent.golden.scores:
            picture = parent.golden_picture(name)
            image = decode(picture)
            assert image is not None
            golden[name] = (picture, model.predict(image).score)
    return golden
