"""Which bundle this station runs, for commands and for the services beside the line. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge import bundles
from edge.rollout.standing import FACTORY, NOTHING, SLOTS, Place, remembered
from edge.seating import FOLDER
from edge.standards import Standards
from edge.store.archive import Archive
from edge.store.errors import StoreError

if TYPE_CHECKING:
    from edge.config import Config
    from inference.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Running:
    """The active bundle, or why it cannot be used; `slot` is `a`, `b` or `factory`."""

    config: Config
    bundle: Bundle | None
    why: str | None
    slot: str

    @property
    def standards(self) -> Standards:
        """Its calibrations."""
        return Standards(self.config, self.bundle, configured=self.slot == FACTORY)

    @property
    def named(self) -> str:
        """What commands take for it."""
        return self.config.model.bundle if self.slot == FACTORY else "active"


def running(config: Config) -> Running:
    """The bundle that is active, whether the line runs or not: the one that was promoted last,
    unless another one was configured since. Raises ConfigError where the configured one is not
    there.

    Where line.db cannot be read nothing is remembered, and the configured bundle is meant.
    """
    configured, why = bundles.usable(config.model.bundle)
    active = _active(config)
    if active is None or active.slot == FACTORY:
        return Running(config, configured, why, FACTORY)
    if configured is not None and configured.digest != active.factory:
        return Running(config, configured, why, FACTORY)
    bundle, why = bundles.readable(config.state_dir / FOLDER / active.slot)
    if bundle is not None and bundle.digest != active.digest:
        bundle, why = None, f"slot {active.slot} holds another bundle than the active one"
    return Running(config, bundle, why, active.slot)


def with_digest(config: Config, digest: str) -> Bundle | None:
    """The bundle of this station with this digest, active or not; None where it is gone."""
    for path in _places(config):
        bundle = bundles.readable(path)[0] if path.exists() else None
        if bundle is not None and bundle.digest == digest:
            return bundle
    return None


def _active(config: Config) -> Place | None:
    try:
        with Archive(config.state_dir / "line.db") as archive:
            return remembered(archive.state, NOTHING).active
    except (sqlite3.Error, StoreError, OSError):
        return None


def _places(config: Config) -> Iterator[Path]:
    yield bundles.folder(config.model.bundle)
    yield from (config.state_dir / FOLDER / slot for slot in SLOTS)
