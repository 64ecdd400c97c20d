"""Every bundle that was ever pushed, and where each runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.fleet import metadata
from sync.fleet.rollout_tables import bundles, model_states, roles, rollouts
from sync.fleet.said import Refusal, Said, read
from sync.fleet.tables import stations
from sync.refusals import NOT_ITS_FAULT


@dataclass(frozen=True, slots=True)
class Model:
    """One bundle. `manifest` is its bundle.yaml, empty for one that was never pushed from here but
    that stations say they run. `listed`: whether the targets' keys have signed it. The stations are
    those that say so themselves."""

    digest: str
    name: str
    version: str
    manifest: str = ""
    size: int = 0
    by: str = ""
    at: str = ""
    listed: bool = False
    rollouts: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    candidate: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def models(connection: Connection) -> list[Model]:
    """The oldest first; then those that were never pushed, by name."""
    said = list(_said(connection))
    listed = _listed(connection)
    rolled = connection.execute(sa.select(rollouts.c.id, rollouts.c.digest)).all()
    found: dict[str, Model] = {}
    for row in connection.execute(sa.select(bundles).order_by(bundles.c.at, bundles.c.digest)):
        found[row.digest] = Model(
            row.digest,
            row.name,
            row.version,
            row.manifest,
            int(row.size),
            row.by,
            row.at,
            row.path in listed,
            tuple(one.id for one in rolled if one.digest == row.digest),
            *_places(said, row.digest),
        )
    strange: dict[str, Model] = {}
    for _, state in said:
        one = state.running
        if one is not None and one.bundle not in found:
            places = _places(said, one.bundle)
            strange[one.bundle] = Model(
                one.bundle, one.name, one.version, running=places[0], candidate=places[1]
            )
    return [*found.values(), *sorted(strange.values(), key=lambda model: model.name)]


def known_stations(connection: Connection) -> dict[str, str | None]:
    """Every station that was ever heard; what it says it runs, in words."""
    found: dict[str, str | None] = {}
    for name in connection.execute(sa.select(stations.c.station)).scalars():
        found[str(name)] = None
    for station, said in _said(connection):
        run = said.running
        words = None if run is None else f"{run.name} {run.version} ({run.bundle[:12]})"
        found[station] = words
    return dict(sorted(found.items()))


def refusing(connection: Connection, digest: str) -> dict[str, Refusal]:
    """The stations that have ended this bundle, and take it no more unless they are told to try it
    again: as they say themselves, by station."""
    found: dict[str, Refusal] = {}
    for station, said in _said(connection):
        for one in said.refused:
            if one.bundle == digest and one.code not in NOT_ITS_FAULT:
                found[station] = one
    return found


def _said(connection: Connection) -> Iterable[tuple[str, Said]]:
    query = sa.select(model_states.c.station, model_states.c.body)
    for row in connection.execute(query.order_by(model_states.c.station)).all():
        said = read(row.body, row.station)
        if said is not None:
            yield row.station, said


def _places(
    said: Iterable[tuple[str, Said]], digest: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    running, candidate, refused = [], [], []
    for station, state in said:
        if state.running is not None and state.running.bundle == digest:
            running.append(station)
        if state.candidate is not None and state.candidate.bundle == digest:
            candidate.append(station)
        if any(one.bundle == digest for one in state.refused):
            refused.append(station)
    return tuple(running), tuple(candidate), tuple(refused)


def _listed(connection: Connection) -> set[str]:
    """The paths that the targets' keys have signed."""
    query = sa.select(roles.c.body).where(roles.c.name == "targets")
    body = connection.execute(query.order_by(roles.c.version.desc()).limit(1)).scalar()
    if body is None:
        return set()
    return set(metadata.from_bytes(bytes(body), "targets").signed.targets)
