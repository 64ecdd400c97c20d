"""The tables of the central database: the same in SQLite and PostgreSQL.

What a person asks with SQL is in `records` and `chains`; `docs/fleet.md` describes every table.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

VERSION = 1
METADATA = MetaData()

_Big = BigInteger().with_variant(Integer, "sqlite")


def _chain(primary_key: bool = True) -> Column[int]:
    return Column("chain", ForeignKey("chains.id"), primary_key=primary_key, nullable=False)


meta = Table(
    "meta",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

stations = Table(
    "stations",
    METADATA,
    Column("station", Text, primary_key=True),
    Column("at", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("delivery", Text),
)

chains = Table(
    "chains",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("station", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("through", _Big, nullable=False),
    Column("hash", Text, nullable=False),
    Column("records", _Big, nullable=False),
    Column("duplicates", _Big, nullable=False),
    Column("conflicts", _Big, nullable=False),
    Column("first_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    UniqueConstraint("station", "stream", "epoch"),
)

records = Table(
    "records",
    METADATA,
    _chain(),
    Column("seq", _Big, primary_key=True),
    Column("schema", Text),
    Column("subject", Text),
    Column("part_id", Text),
    Column("at", Text),
    Column("decision", Text),
    Column("body", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
Index("records_subject", records.c.subject)
Index(
    "records_part",
    records.c.part_id,
    sqlite_where=records.c.part_id.is_not(None),
    postgresql_where=records.c.part_id.is_not(None),
)
Index(
    "records_at",
    records.c.at,
    sqlite_where=records.c.decision.is_not(None),
    postgresql_where=records.c.decision.is_not(None),
)

RARE = "schema NOT IN ('inspection/1', 'disposition/1')"
"""The term of the index over the rare kinds. A query must repeat it word for word."""
Index(
    "records_rare",
    records.c.chain,
    records.c.schema,
    records.c.seq,
    sqlite_where=text(RARE),
    postgresql_where=text(RARE),
)

spans = Table(
    "spans",
    METADATA,
    _chain(),
    Column("first", _Big, primary_key=True),
    Column("last", _Big, nullable=False),
    Column("previous_hash", Text),
    Column("hash", Text),
)

gaps = Table(
    "gaps",
    METADATA,
    _chain(),
    Column("first", _Big, primary_key=True),
    Column("last", _Big, primary_key=True),
    Column("why", Text, primary_key=True),
    Column("previous_hash", Text),
    Column("hash", Text),
    Column("at", Text),
    Column("by", Text),
    Column("size", _Big),
    Column("told_at", Text, nullable=False),
)

alarms = Table(
    "alarms",
    METADATA,
    Column("id", Integer, primary_key=True),
    _chain(primary_key=False),
    Column("kind", Text, nullable=False),
    Column("lower_first", _Big, nullable=False),
    Column("lower_last", _Big, nullable=False),
    Column("lower_hash", Text, nullable=False),
    Column("upper_first", _Big, nullable=False),
    Column("upper_last", _Big, nullable=False),
    Column("upper_previous_hash", Text, nullable=False),
    Column("upper_hash", Text, nullable=False),
    Column("first_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("times", Integer, nullable=False),
)
ALARM = (
    "chain", "kind", "lower_first", "lower_last", "lower_hash",
    "upper_first", "upper_last", "upper_previous_hash", "upper_hash",
)  # fmt: skip
"""What makes two alarms the same one."""
Index("alarms_same", *(alarms.c[name] for name in ALARM), unique=True)

aside = Table(
    "aside",
    METADATA,
    _chain(),
    Column("seq", _Big, primary_key=True),
    Column("hash", LargeBinary, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", Text, nullable=False),
)

pictures = Table(
    "pictures",
    METADATA,
    Column("station", Text, primary_key=True),
    Column("inspection", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("size", _Big, nullable=False),
    Column("at", Text, nullable=False),
)
Index("pictures_inspection", pictures.c.inspection)

picture_files = Table(
    "picture_files",
    METADATA,
    Column("station", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
"""Once for each content: the same bytes may be the picture of several inspections."""

arriving = Table(
    "arriving",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("station", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", _Big, nullable=False),
    Column("pieces", Integer, nullable=False),
    Column("bytes", _Big, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("station", "sha256"),
)
"""Pictures of which pieces are there; the row is the lock over them."""

pieces = Table(
    "pieces",
    METADATA,
    Column("arriving", ForeignKey("arriving.id"), primary_key=True),
    Column("start", _Big, primary_key=True),
    Column("bytes", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
