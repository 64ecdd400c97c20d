"""The tables of roll-outs in the central database: the same in SQLite and PostgreSQL.

They stand beside those of `sync/fleet/tables.py`, in the same file; `docs/rollout.md` describes
them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from sync.fleet.tables import METADATA

_Big = BigInteger().with_variant(Integer, "sqlite")

roles = Table(
    "roles",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
)
"""Signed metadata: every version of `root`, and of the others those that are still named."""

bundles = Table(
    "bundles",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("size", _Big, nullable=False),
    Column("piece", Integer, nullable=False),
    Column("pieces", Text, nullable=False),
    Column("manifest", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
)
"""Bundles that were pushed. `pieces` is a JSON list of sha256, `manifest` the bundle.yaml."""

bundle_pieces = Table(
    "bundle_pieces",
    METADATA,
    Column("sha256", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

rollouts = Table(
    "rollouts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text),
    Column("plan", Text, nullable=False),
    Column("wave", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text),
    Column("at", Text, nullable=False),
    Column("changed_at", Text, nullable=False),
)
"""`state`: running, paused, done, cancelled, rolled_back. `plan` is the JSON of what was asked for:
targets, strategy, steps, waves, limits, thresholds."""

members = Table(
    "members",
    METADATA,
    Column("rollout", Text, primary_key=True),
    Column("station", Text, primary_key=True),
    Column("wave", Integer, nullable=False),
    Column("serial", _Big),
    Column("state", Text, nullable=False),
    Column("code", Text),
    Column("why", Text),
    Column("changed_at", Text, nullable=False),
)
"""The stations of a roll-out. `state`: waiting (for its wave), assigned, then what the station
says (`sync/fleet/following.py`); `serial` is that of the assignment that began its newest
attempt."""

evidence = Table(
    "evidence",
    METADATA,
    Column("rollout", Text, primary_key=True),
    Column("station", Text, primary_key=True),
    Column("serial", _Big, nullable=False),
    Column("shown", Text, nullable=False),
    Column("accepted", Text),
)
"""What a member's newest attempt, of this serial, has shown so far (`Evidence` as JSON), and how
much of that a person has accepted by resuming the roll-out."""

assignments = Table(
    "assignments",
    METADATA,
    Column("station", Text, primary_key=True),
    Column("serial", _Big, nullable=False),
    Column("rollout", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("signed", Integer, nullable=False),
    Column("published", Integer, nullable=False),
    Column("at", Text, nullable=False),
)
"""The newest assignment of each station. `signed` is the version of the timestamp that vouches for
it, 0 for none yet; `published` that of the newest pack that a broker has taken."""
Index("assignments_rollout", assignments.c.rollout)

model_states = Table(
    "model_states",
    METADATA,
    Column("station", Text, primary_key=True),
    Column("at", Text, nullable=False),
    Column("body", Text, nullable=False),
)
"""What each station last said on `model/state`, and when it came in."""

orders = Table(
    "orders",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("answer", Text, nullable=False),
)
"""What persons have ordered, each once, with the answer that they got."""
