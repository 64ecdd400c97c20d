"""Where a model comes from, as its bundle tells: the registry's fields. Pure.

In `bundle.yaml`, under `lineage`; each is optional, other keys are free:

    parent             digest of the bundle that it was trained on from, or made of; null for none
    data_hash          sha256 of the data that it was trained on, however its maker takes that
    data               a mapping: where these data are and what is in them
    training           a mapping: the training run, its tool, settings, date
    training_pictures  sha256 of the file of each picture that it learnt from
    metrics            a mapping: names and numbers (or words), and on which data
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HASH = re.compile(r"[0-9a-f]{64}")
MAPPINGS = ("data", "training", "metrics")
LARGEST = 64 * 1024
"""Bytes of all but the list of pictures: a lineage names data and runs, it does not carry them."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a bundle says of its origin; None and empty where it says nothing."""

    parent: str | None = None
    data_hash: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "parent": self.parent,
            "data_hash": self.data_hash,
            "data": dict(self.data),
            "training": dict(self.training),
            "metrics": dict(self.metrics),
        }


def lineage(content: Mapping[str, Any]) -> Lineage:
    """The known fields of a lineage that has no `problems`."""
    return Lineage(
        content.get("parent"),
        content.get("data_hash"),
        *(content.get(name) or {} for name in MAPPINGS),
    )


def problems(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with a lineage, as (key, words)."""
    found = []
    for name in ("parent", "data_hash"):
        value = content.get(name)
        if value is not None and not (isinstance(value, str) and HASH.fullmatch(value)):
            found.append((name, f"{value!r} is no sha256"))
    for name in MAPPINGS:
        value = content.get(name)
        if value is not None and not isinstance(value, dict):
            found.append((name, "not a mapping"))
    metrics = content.get("metrics")
    for name, value in metrics.items() if isinstance(metrics, dict) else ():
        if isinstance(value, float) and not math.isfinite(value):
            found.append((f"metrics.{name}", "not a finite number"))
    rest = {key: value for key, value in content.items() if key != "training_pictures"}
    try:
        size = len(json.dumps(rest, default=str, skipkeys=True))
    except (ValueError, RecursionError):
        return [*found, ("", "it contains itself")]
    return [*found, ("", f"more than {LARGEST} bytes")] if size > LARGEST else found
