"""Pieces of one chain go into the tables, inside a transaction that holds the chain's lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.fleet import tables
from sync.fleet.arrival import Arrival, Row
from sync.fleet.database import insert_rows
from sync.fleet.joining import Added, Clash, Joining, Span
from sync.gap import Gap

MOST_CLASHES = 20
"""Named one by one in one transaction; what is behind is counted."""


@dataclass(slots=True)
class Tally:
    """Records, counted. `conflicts`: other bytes under a number that is taken, or a chain that
    does not fit; they are set aside. `gaps` counts segments without records."""

    new: int = 0
    duplicates: int = 0
    conflicts: int = 0
    gaps: int = 0
    alarms: int = 0

    def add(self, other: Tally) -> None:
        """Take these in."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


class Filing:
    """The work on one chain. What was put counts when `end` was called and the caller commits."""

    def __init__(
        self,
        connection: Connection,
        insert: Callable[..., Any],
        chain: int,
        joining: Joining,
        at: str,
    ) -> None:
        self.tally = Tally()
        self._connection = connection
        self._insert = insert
        self._chain = chain
        self._joining = joining
        self._at = at
        self._spans = list(joining.ahead)
        self._waiting: list[tuple[object, ...]] = []

    def put(self, arrival: Arrival) -> None:
        """One piece: stored, known already, or set aside because it does not fit."""
        piece = arrival.piece
        span = Span(piece.first, piece.last, piece.previous_hash, piece.hash)
        if isinstance(piece, Gap):
            self._put_gap(piece, span)
        else:
            self._put_rows(arrival.rows, span)

    def end(self) -> None:
        """Write what is left, and where the chain stands now."""
        self._flush()
        self._write_spans()
        chains, tally = tables.chains, self.tally
        self._connection.execute(
            sa.update(chains)
            .where(chains.c.id == self._chain)
            .values(
                through=self._joining.through,
                hash=self._joining.hash,
                records=chains.c.records + tally.new,
                duplicates=chains.c.duplicates + tally.duplicates,
                conflicts=chains.c.conflicts + tally.conflicts,
                last_at=self._at,
            )
        )

    def _put_rows(self, rows: tuple[Row, ...], span: Span) -> None:
        held: dict[int, str] = {}
        if self._joining.overlapped(span.first, span.last):
            held = self._hashes(span)
            clash = self._compare(span, {row[0]: row[-1].hex() for row in rows}, held)
            if clash is not None:
                self._alarm("conflict", clash)
                return self._set_aside(rows)
        added = self._joining.add(span)
        if added.taken:
            new = [row for row in rows if row[0] not in held] if held else rows
            self._waiting += [(self._chain, *row) for row in new]
            self.tally.new += len(new)
            self.tally.duplicates += len(rows) - len(new)
        else:
            self._set_aside(rows)
        self._clashed(added)

    def _put_gap(self, gap: Gap, span: Span) -> None:
        held = self._hashes(span)
        ends = {gap.last: gap.hash} if gap.hash is not None else {}
        clash = self._compare(span, ends, held)
        if clash is not None:
            return self._alarm("conflict", clash)
        missing = gap.last - gap.first + 1 - sum(seq >= gap.first for seq in held)
        added = self._joining.add(span)
        if added.taken and missing:
            self.tally.gaps += 1
            row = {
                "chain": self._chain, "first": gap.first, "last": gap.last, "why": gap.why,
                "previous_hash": gap.previous_hash, "hash": gap.hash, "at": gap.at,
                "by": gap.by, "size": gap.size, "told_at": self._at,
            }  # fmt: skip
            insert = self._insert(tables.gaps).on_conflict_do_nothing()
            self._connection.execute(insert, [row])
        self._clashed(added)

    def _hashes(self, span: Span) -> dict[int, str]:
        """Of the records held from just before the piece to its end."""
        self._flush()
        records = tables.records.c
        query = sa.select(records.seq, records.hash).where(
            records.chain == self._chain, records.seq.between(span.first - 1, span.last)
        )
        return {seq: bytes(found).hex() for seq, found in self._connection.execute(query)}

    def _compare(self, span: Span, own: dict[int, str], held: dict[int, str]) -> Clash | None:
        """The first place where the piece says another hash than what is held."""
        gaps = tables.gaps.c
        query = sa.select(gaps.last, gaps.hash).where(
            gaps.chain == self._chain,
            gaps.hash.is_not(None),
            gaps.last.between(span.first - 1, span.last),
        )
        known = {last: found for last, found in self._connection.execute(query)}
        known.update(held)
        if span.previous_hash is not None:
            own = {**own, span.first - 1: span.previous_hash}
        for seq in sorted(own.keys() & known.keys()):
            if own[seq] != known[seq]:
                return Clash(Span(seq, seq, None, known[seq]), span)
        return None

    def _clashed(self, added: Added) -> None:
        for clash in added.clashes:
            self._alarm("join", clash)
        for span in added.dropped:
            self._evict(span)

    def _evict(self, span: Span) -> None:
        """Records of a span ahead that turned out not to follow: out of the way, not lost."""
        self._flush()
        records, aside = tables.records, tables.aside
        inside = sa.and_(
            records.c.chain == self._chain, records.c.seq.between(span.first, span.last)
        )
        columns = (records.c.chain, records.c.seq, records.c.hash, records.c.body)
        chosen = sa.select(*columns, sa.literal(self._at)).where(inside)
        insert = self._insert(aside).from_select(["chain", "seq", "hash", "body", "at"], chosen)
        self._connection.execute(insert.on_conflict_do_nothing())
        gone = self._connection.execute(sa.delete(records).where(inside)).rowcount
        gaps = tables.gaps
        told = sa.and_(gaps.c.chain == self._chain, gaps.c.first.between(span.first, span.last))
        self._connection.execute(sa.delete(gaps).where(told))
        self.tally.new -= gone
        self.tally.conflicts += gone

    def _set_aside(self, rows: tuple[Row, ...]) -> None:
        self.tally.conflicts += len(rows)
        kept = [
            {"chain": self._chain, "seq": seq, "hash": digest, "body": body, "at": self._at}
            for seq, *_, body, digest in rows
        ]
        insert = self._insert(tables.aside).on_conflict_do_nothing()
        self._connection.execute(insert, kept)

    def _alarm(self, kind: str, clash: Clash) -> None:
        self.tally.alarms += 1
        if self.tally.alarms > MOST_CLASHES:
            return
        lower, upper = clash
        row = {
            "chain": self._chain, "kind": kind,
            "lower_first": lower.first, "lower_last": lower.last, "lower_hash": lower.hash or "",
            "upper_first": upper.first, "upper_last": upper.last,
            "upper_previous_hash": upper.previous_hash or "", "upper_hash": upper.hash or "",
            "first_at": self._at, "last_at": self._at, "times": 1,
        }  # fmt: skip
        insert = self._insert(tables.alarms)
        again = {"times": tables.alarms.c.times + 1, "last_at": self._at}
        statement = insert.on_conflict_do_update(index_elements=list(tables.ALARM), set_=again)
        self._connection.execute(statement, [row])

    def _flush(self) -> None:
        rows, self._waiting = self._waiting, []
        if rows:
            insert_rows(self._connection, rows)

    def _write_spans(self) -> None:
        now = self._joining.ahead
        if now == self._spans:
            return
        spans = tables.spans
        for gone in set(self._spans) - set(now):
            here = sa.and_(spans.c.chain == self._chain, spans.c.first == gone.first)
            self._connection.execute(sa.delete(spans).where(here))
        rows = [
            {"chain": self._chain, "first": one.first, "last": one.last,
             "previous_hash": one.previous_hash, "hash": one.hash}
            for one in now
            if one not in self._spans
        ]  # fmt: skip
        if rows:
            self._connection.execute(sa.insert(spans), rows)
