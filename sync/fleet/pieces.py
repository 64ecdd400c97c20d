"""The bytes of bundles, read from the central database, the newest used kept in memory."""

from __future__ import annotations

from collections import OrderedDict

import sqlalchemy as sa

from sync.fleet.database import Database
from sync.fleet.rollout_tables import bundle_pieces

MOST_BYTES = 64 << 20
AHEAD = 16
"""Pieces that are read together: stations ask in order."""


class Pieces:
    """Used from one thread. A bundle that fits is read once, however many stations want it."""

    def __init__(self, database: Database, most: int = MOST_BYTES) -> None:
        self.reads = 0
        self._database = database
        self._most = most
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._bytes = 0

    def read(self, sha256: str, number: int) -> bytes | None:
        """One piece; None where it is not there. Raises `sync.fleet.database.DatabaseError`."""
        key = sha256, number
        if key not in self._kept:
            self._load(sha256, number)
        data = self._kept.get(key)
        if data is not None:
            self._kept.move_to_end(key)
        self._shrink()
        return data

    def _load(self, sha256: str, first: int) -> None:
        columns = bundle_pieces.c
        query = sa.select(columns.number, columns.data).where(
            columns.sha256 == sha256, columns.number.between(first, first + AHEAD - 1)
        )
        self.reads += 1
        with self._database.transaction() as connection:
            found = [(int(row.number), bytes(row.data)) for row in connection.execute(query)]
        for number, data in reversed(found):
            if (sha256, number) not in self._kept:
                self._kept[sha256, number] = data
                self._bytes += len(data)

    def _shrink(self) -> None:
        while self._bytes > self._most and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= len(gone)
