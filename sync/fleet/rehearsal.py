"""A copy of what orders read and write, for a dry run: the order is carried out on it, and the copy
is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from sync.fleet.database import Database
from sync.fleet.rollout_tables import (
    assignments,
    bundles,
    evidence,
    members,
    model_states,
    roles,
    rollouts,
)
from sync.fleet.tables import stations

COPIED = (stations, roles, bundles, rollouts, members, evidence, assignments, model_states)
"""Neither records and pictures, nor the files of bundles: no order looks into them."""
AT_ONCE = 500


@contextmanager
def copy_of(url: str) -> Iterator[Database]:
    """An SQLite database in a folder of its own, as this one is now. Raises DatabaseError."""
    with tempfile.TemporaryDirectory() as folder:
        copy, source = Database(f"sqlite:///{folder}/copy.db"), Database(url, read_only=True)
        try:
            with source.transaction() as reading, copy.transaction() as writing:
                there = sa.inspect(reading).get_table_names()
                for table in COPIED:
                    if table.name in there:
                        for rows in (
                            reading.execute(sa.select(table)).mappings().partitions(AT_ONCE)
                        ):
                            writing.execute(sa.insert(table), [dict(row) for row in rows])
            yield copy
        finally:
            source.close()
            copy.close()
