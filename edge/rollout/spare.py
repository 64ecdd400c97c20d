"""What line.db remembers of models, a second time: for the day on which that database is lost.

A bundle that was active here is nothing without the proof that it was, its calibration and its
trial: all that lay in line.db. So the configured bundle decides, and the other one comes again by
itself, through its whole probation, where the assignment by which it ran is still the newest one.
What was refused stays refused, and what a person had ended does not begin again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.files import write_atomically
from edge.log import log
from edge.rollout.standing import LOST, STATE_ACTIVE, Place, Standing, remembered

FILE = Path("rollout") / "standing.json"
"""Below the state directory. Written after line.db: it may be one change behind, never ahead."""
SCHEMA = "standing/1"


class Spare:
    """The copy. For the writer of line.db; whoever only reads may read it too."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE

    def write(self, standing: Standing) -> None:
        """Keep this one. A disk that refuses holds nothing up: the next change is kept again."""
        text = json.dumps(standing.state())
        content = {"schema": SCHEMA, "state": text, "sha256": _digest(text)}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, json.dumps(content).encode())
        except OSError as error:
            log.warning("rollout.spare", error=error)

    def read(self, factory: Place) -> Standing | None:
        """What was kept; None where there is nothing, or something else than was written."""
        try:
            content: Any = json.loads(self._path.read_bytes())
            text = content["state"]
            if content["schema"] != SCHEMA or content["sha256"] != _digest(text):
                return None
            state: dict[str, str] = json.loads(text)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        return remembered(state.get, factory)


def recalled(state: Callable[[str], str | None], factory: Place, spare: Spare) -> Standing:
    """What line.db remembers; what is certain without it, where it was lost.

    A database that was set aside says so; one that was deleted is a new one beside an old copy.
    Where the copy is lost too, nothing begins by an assignment that was there before.
    """
    found = remembered(state, factory)
    if state(STATE_ACTIVE) not in (None, LOST):
        return found
    kept = spare.read(factory)
    if kept is None:
        return found
    log.warning("rollout.recalled", active=factory.name, before=kept.active.name)
    decided, last = kept.lost or kept.active, kept.last
    return replace(
        found,
        previous=None,
        last=None if last is not None and last.state == "active" else last,
        refused={**found.refused, **kept.refused},
        seen=kept.seen if kept.seen is None else kept.seen - _open(kept),
        noted=kept.noted,
        asked=kept.asked,
        figures=kept.figures,
        lost=decided if decided.digest not in ("", factory.digest) else None,
    )


def trouble(standing: Standing) -> str | None:
    """That another bundle decides than before, in words."""
    lost, active = standing.lost, standing.active
    if lost is None or lost.digest == active.digest:
        return None
    now = f"{active.name} {active.version}, as configured," if active.digest else "no model"
    return (
        f"line.db was lost, and what it knew of models with it: {now} decides instead of"
        f" {lost.name} {lost.version}"
    )


def _open(kept: Standing) -> bool:
    """Whether the newest assignment that was acted upon is the one by which a bundle is, or was
    coming, here. Who types a command gives no roll-out's name."""
    words = [(kept.active.serial, kept.active.rollout)]
    if kept.candidate is not None:
        words.append((kept.candidate.orders.serial, kept.candidate.orders.rollout))
    return any(serial == kept.seen and rollout is not None for serial, rollout in words)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
