"""What was pushed before, and need not be brought again: the file of a bundle, and the stations
that have it or are getting it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.fleet import plan as plans
from sync.fleet.following import FOLLOWED
from sync.fleet.knowing import members_of
from sync.fleet.order import OrderRefused
from sync.fleet.plan import Plan, PlanError
from sync.fleet.repository import Parcel
from sync.fleet.rollout_tables import assignments, bundle_pieces, bundles, rollouts

OPEN = ("pending", "running", "paused")


def parcel(connection: Connection, begin: str) -> Parcel:
    """The bundle whose digest begins so, as it was pushed. Raises OrderRefused where there is not
    exactly one, or its file is gone."""
    query = sa.select(bundles).where(bundles.c.digest.startswith(begin, autoescape=True))
    rows = connection.execute(query).all()
    if len(rows) != 1:
        what = f"{len(rows)} bundles that were pushed begin with {begin!r}"
        raise OrderRefused(what, "edge-inspect fleet models --json tells their digests")
    (row,) = rows
    columns = bundle_pieces.c
    pieces = sa.select(columns.data).where(columns.sha256 == row.sha256).order_by(columns.number)
    data = b"".join(bytes(one) for one in connection.execute(pieces).scalars())
    if len(data) != row.size:
        what = f"the file of {row.name} {row.version} is not in the database any more"
        raise OrderRefused(what, "push it from its folder")
    return Parcel(row.name, row.version, row.digest, row.manifest, data)


def taking(connection: Connection, digest: str, plan: Plan) -> dict[str, str]:
    """The stations that have this bundle, or are going to, by a roll-out that was asked for in the
    same words: the roll-out of each."""
    columns = assignments.c
    rows = connection.execute(sa.select(columns.station, columns.rollout))
    newest = {row.station: row.rollout for row in rows}
    query = sa.select(rollouts).where(
        rollouts.c.digest == digest, rollouts.c.state.in_((*OPEN, "done"))
    )
    found: dict[str, str] = {}
    for row in connection.execute(query.order_by(rollouts.c.at.desc())).all():
        if not _same(row.plan, plan):
            continue
        for member in members_of(connection, row.id):
            has = member.state in FOLLOWED or member.state == "active"
            waits = member.state == "waiting" and row.state in OPEN
            if waits or (has and newest.get(member.station) == row.id):
                found.setdefault(member.station, row.id)
    return found


def _same(text: str, plan: Plan) -> bool:
    try:
        return plans.parse(text) == plan
    except PlanError:
        return False  # of a later version
