"""How `edge-inspect export` says what it has done. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edge.review.split import SPLITS


def in_words(manifest: Mapping[str, Any]) -> Iterator[str]:
    """The figures as a table, then what is left out and why."""
    figures = manifest["figures"]
    labels = sorted({label for split in SPLITS for label in figures[split]}, key=_good_first)
    width = max((len(label) for label in labels), default=0)
    if labels:
        yield f"{'':<{width}}  {'train':>7}  {'calibration':>11}  {'test':>7}"
    for label in labels:
        train, calibration, test = (figures[split].get(label, 0) for split in SPLITS)
        yield f"{label:<{width}}  {train:>7,}  {calibration:>11,}  {test:>7,}"
    for name, words in (
        ("disputed", "persons disagree (disputed/, disputed.csv)"),
        ("challenge", "of them challenge parts, by their known truth"),
        ("part_basis", "labelled with the part in hand (rows without a picture)"),
        ("new_parts", "parts were new and have their split now, for good"),
        ("exported_before", "were exported before"),
    ):
        if figures[name]:
            yield f"{figures[name]:,} {words}"
    for left in manifest["left_out"]:
        examples = ", ".join(left["examples"][:3])
        yield f"left out: {left['count']:,} ({left['why']}), such as {examples}"


def _good_first(label: str) -> tuple[bool, str]:
    return label != "good", label
