"""Bundles that were pushed, in the central database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.assignment import BundleFile
from sync.fleet.roles import insert_into
from sync.fleet.rollout_tables import bundle_pieces, bundles

if TYPE_CHECKING:
    from sync.fleet.repository import Parcel


def store(connection: Connection, parcel: Parcel, by: str, at: str) -> BundleFile:
    """Put a bundle and its pieces there, once. Where the same bundle comes in another file (it was
    confirmed since), the newer file is the one that is assigned; the pieces of the older one stay
    for the stations that are fetching it."""
    file = parcel.as_file()
    known = read(connection, parcel.digest)
    if known == file:
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
