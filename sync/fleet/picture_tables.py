"""The tables of the pictures that stations sent: the same in SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from sync.fleet.tables import METADATA

pictures = Table(
    "pictures",
    METADATA,
    Column("station", Text, primary_key=True),
    Column("inspection", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
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
    Column("size", BigInteger, nullable=False),
    Column("pieces", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("station", "sha256"),
)
"""Pictures of which pieces are there; the row is the lock over them."""

pieces = Table(
    "pieces",
    METADATA,
    Column("arriving", ForeignKey("arriving.id"), primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("bytes", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
