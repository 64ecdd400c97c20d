"""What `calibrate --apply` keeps for later: its pictures, for the cuts of every candidate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.calibrating.gathered import Gathered, Unusable
from edge.calibrating.station import Station
from edge.decision.evidence import Evidence
from edge.rollout import pinned
from edge.rollout.pinned import Pinned

VIEW = ("camera.", "roi", "rotate")
"""What of `Standards.made_with` belongs to the view."""


def pin(
    station: Station,
    evidence: Evidence,
    gathered: Gathered,
    dataset: Path | None,
    tell: Callable[[int, int], None] | None = None,
) -> str:
    """Pin the pictures of a calibration that is in force now; what became of it, in words.

    Never raises: the calibration holds without them.
    """
    if gathered.source == "scores" or gathered.doubtful:
        return "its pictures are not kept, so new models cannot be calibrated here by themselves"
    chosen = pinned.of_records(gathered) if dataset is None else pinned.of_folder(dataset)
    seen = {k: v for k, v in station.standards.made_with.items() if k.startswith(VIEW)}
    view = station.standards.view
    about = Pinned(Path(), evidence.id, view, evidence.made_at, evidence.by, seen=seen)
    config = station.config
    try:
        made = pinned.pin(config.state_dir, chosen, about, config.rollout.pinned_bytes, tell)
    except (OSError, Unusable) as error:
        return f"its pictures could not be kept for new models: {error}"
    lost = (
        f"; {made.lossy} lost something when they were stored, so that no cuts made of them are"
        " certified (storage.encoding: png)"
    )
    left = f"; {made.left_out} had no room (rollout.pinned_bytes)" if made.left_out else ""
    return (
        f"kept for new models: {made.good} pictures of good parts and {made.defect} of defects,"
        f" {made.bytes / 1e6:,.1f} MB{left}{lost if made.lossy else ''}"
    )
