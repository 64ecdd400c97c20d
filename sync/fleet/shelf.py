"""Bundles that were pushed, in the central database."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.assignment import BundleFile
from sync.fleet.roles import insert_into
from sync.fleet.rollout_tables import bundle_pieces, bundles, rollouts

if TYPE_CHECKING:
    from sync.fleet.repository import Parcel


def store(connection: Connection, parcel: Parcel, by: str, at: str) -> BundleFile:
    """Put a bundle and its pieces there, once. Where the same bundle comes in another file (it was
    confirmed since), the newer file is the one that is assigned; the pieces of the older one stay
    for the stations that are fetching it."""
    file = parcel.as_file()
    known = read(connection, parcel.digest)
    if known == file and _count(connection, file.sha256) == len(file.pieces):
        return file
    rows = [
        {"sha256": file.sha256, "number": n, "data": parcel.data[n * file.piece :][: file.piece]}
        for n in range(len(file.pieces))
    ]
    connection.execute(insert_into(connection, bundle_pieces).on_conflict_do_nothing(), rows)
    row = {
        "digest": file.digest,
        "name": file.name,
        "version": file.version,
        "path": file.path,
        "sha256": file.sha256,
        "size": file.size,
        "piece": file.piece,
        "pieces": json.dumps(file.pieces),
        "manifest": parcel.manifest,
        "by": by,
        "at": at,
    }
    insert = insert_into(connection, bundles)
    news = {name: insert.excluded[name] for name in row if name != "digest"}
    connection.execute(insert.on_conflict_do_update(index_elements=["digest"], set_=news), [row])
    return file


def sweep(connection: Connection, listed: Collection[str]) -> None:
    """Delete the pieces of one file, if there is one, that nobody may fetch any more: it is not
    among the signed ones, and no roll-out of it waits for signatures or goes on."""
    kept = sa.select(bundles.c.sha256).join(rollouts, rollouts.c.digest == bundles.c.digest)
    open_ = kept.where(rollouts.c.state.in_(("pending", "running", "paused")))
    wanted = {*listed, *connection.execute(open_).scalars()}
    columns = bundle_pieces.c
    here = connection.execute(sa.select(columns.sha256).where(columns.number == 0)).scalars()
    gone = next((one for one in sorted(here) if one not in wanted), None)
    if gone is not None:
        connection.execute(sa.delete(bundle_pieces).where(columns.sha256 == gone))


def _count(connection: Connection, sha256: str) -> int:
    query = sa.select(sa.func.count()).where(bundle_pieces.c.sha256 == sha256)
    return int(connection.execute(query).scalar_one())


def read(connection: Connection, digest: str) -> BundleFile | None:
    """The file that a bundle is assigned as; None for one that was never pushed."""
    row = connection.execute(sa.select(bundles).where(bundles.c.digest == digest)).one_or_none()
    if row is None:
        return None
    pieces = tuple(json.loads(row.pieces))
    names = (row.name, row.version, row.digest, row.path, row.sha256)
    return BundleFile(*names, int(row.size), int(row.piece), pieces)


def versions(connection: Connection, name: str) -> dict[str, str]:
    """The digest of every pushed version of this name."""
    query = sa.select(bundles.c.version, bundles.c.digest).where(bundles.c.name == name)
    return {row.version: row.digest for row in connection.execute(query.order_by(bundles.c.at))}
