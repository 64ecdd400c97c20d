"""A candidate's own calibration: the station's pinned pictures, and the targets in force.

It never decides by cuts that were made for another model or another station.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge import __version__, calibrations
from edge.calibrating.gathered import Gathered, Unusable
from edge.calibrating.making import Wishes, as_json, make
from edge.calibrating.scoring import NoModel
from edge.calibrating.station import Station
from edge.calibrating.training import Overlap
from edge.clock import Clock
from edge.config import Config
from edge.decision.binomial import at_most
from edge.decision.calibration import Targets, needed
from edge.decision.evidence import Evidence, Samples
from edge.rollout import pinned
from edge.rollout.outcome import Calibrated
from edge.standards import Standards
from edge.store.errors import StoreError
from inference.bundle import load

BY = "rollout"
CHANCE = 1e-6
"""A model whose scores say nothing looks upside down no more often than this."""
Tell = Callable[[int, int], None]


def recalibrate(config: Config, arguments: Mapping[str, Any], tell: Tell) -> Calibrated:
    """Score the pinned pictures with a bundle, and keep the calibration if there are cuts.

    Refused with `no_pictures`, `other_view`, `trained_on_these`, `died`, `wrong_labels`,
    `unusable`, `too_few` (see `needed`) or `uncertified`. Raises BundleError, OSError.
    """
    bundle = load(Path(arguments["bundle"]), __version__)
    station = Station(config, bundle, Standards(config, bundle))
    targets, prevalence = _targets(station, arguments.get("like"))
    kept = pinned.read(config.state_dir)
    if kept is None or kept.view != station.standards.view:
        code = "no_pictures" if kept is None else "other_view"
        why = _nothing_pinned(kept, station)
        return Calibrated(False, code, why, digest=bundle.digest, needed=needed(0, 0, targets))
    try:
        gathered = station.pictures(kept.folder, False, tell, config.rollout.memory_mb)
    except Unusable as problem:
        return Calibrated(False, _code(problem), str(problem), digest=bundle.digest)
    wishes = Wishes(
        targets=targets,
        prevalence=prevalence,
        rate_per_hour=_rate(station),
        by=str(arguments.get("by") or BY),
        reason=str(arguments.get("reason") or "the station's pinned pictures"),
        training=station.training(bool(arguments.get("said")), gathered),
    )
    return _made(station, gathered, wishes)


def _made(station: Station, gathered: Gathered, wishes: Wishes) -> Calibrated:
    about = station.about(Clock())
    evidence = make(gathered, about, wishes, station.tries(gathered))
    station.keep(evidence, gathered, about)
    digest, content = station.bundle.digest, as_json(evidence)
    if (upside_down := exchanged(gathered.samples)) is not None:
        return Calibrated(False, "wrong_labels", upside_down, digest=digest, content=content)
    if evidence.result is None:
        why, lacking = _too_few(evidence), evidence.needed
        return Calibrated(False, "too_few", why, digest=digest, needed=lacking, content=content)
    if not evidence.certified:
        why = "; ".join(evidence.uncertified_because)
        return Calibrated(
            False, "uncertified", why, digest=digest, calibration=evidence.id, content=content
        )
    return Calibrated(True, digest=digest, calibration=evidence.id, content=content)


def exchanged(samples: Samples) -> str | None:
    """Whether good parts score worse than defects, which no chance explains, in words.

    One good part and one defect at a time, in the order of their pictures' hashes, so that the
    pairs are independent of each other: a sign test.
    """
    order = np.argsort(np.array(samples.sha256), kind="stable")
    scores, defect = samples.scores[order], samples.defect[order]
    pairs = list(zip(scores[~defect], scores[defect], strict=False))
    worse = sum(1 for good, bad in pairs if good > bad)
    unequal = sum(1 for good, bad in pairs if good != bad)
    if unequal == 0 or at_most(unequal - worse, unequal, 0.5) > CHANCE:
        return None
    return (
        f"in {worse} of {unequal} pairs of this station's pictures the good part scores worse than"
        " the defect: its labels seem to be exchanged"
    )


def _targets(station: Station, like: object) -> tuple[Targets, float | None]:
    """Those of the calibration with this id, else the configured ones; and its prevalence."""
    decision = station.config.decision
    configured = Targets(decision.max_escape, decision.max_overkill, decision.confidence)
    if like is None:
        return configured, None
    try:
        content = calibrations.find([station.folder], str(like))[0].content
        only = content.get("only")
        return Targets(
            _wanted(content, "escape") or configured.max_escape,
            _wanted(content, "overkill") or configured.max_overkill,
            float(str(content["confidence"])),
            only if only in ("accept", "reject") else None,
        ), _share(content.get("prevalence"))
    except (OSError, ValueError, KeyError):
        return configured, None


def _wanted(content: Mapping[str, object], side: str) -> float | None:
    found = content.get(side)
    return _share(found.get("target")) if isinstance(found, dict) else None


def _share(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _nothing_pinned(kept: pinned.Pinned | None, station: Station) -> str:
    if kept is None:
        return (
            "this station has no pinned pictures: calibrate it with labelled pictures"
            " (edge-inspect calibrate DIR --apply --by NAME), and they are kept"
        )
    seen = station.standards.made_with
    changed = [
        f"{name} was {kept.seen.get(name)}, is {seen.get(name)}"
        for name in sorted(kept.seen)
        if kept.seen.get(name) != seen.get(name)
    ]
    told = f" ({'; '.join(changed[:5])})" if changed else ""
    return f"the pinned pictures were taken with another view{told}: calibrate with new ones"


def _too_few(evidence: Evidence) -> str:
    lacking = [
        f"{evidence.needed[kind]} more {words}"
        for kind, words in (("good", "good parts"), ("defect", "defects"))
        if evidence.needed[kind]
    ]
    return f"the pinned pictures do not suffice: {' and '.join(lacking)} are needed"


def _code(problem: Unusable) -> str:
    if isinstance(problem, Overlap):
        return "trained_on_these"
    return "died" if isinstance(problem, NoModel) else "unusable"


def _rate(station: Station) -> float | None:
    try:
        return station.rate_per_hour()
    except (sqlite3.Error, StoreError, OSError):
        return None
