"""Which of the records that were found are sound: what the chain's hashes prove. Pure.

Two proofs. A body is proved when the hash before it, linked with it, gives its own hash. A hash is
proved when it, linked with the next body, gives the next hash. So one damaged body, or one damaged
hash, costs at most its own record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from edge.recovery.candidates import Candidate


class Proved(NamedTuple):
    """A record with its right hash. Without a candidate only the hash is known.

    `proved` is false for a body of which only the hash is proved: what stood before it is gone.
    """

    seq: int
    hash: bytes
    candidate: Candidate | None
    proved: bool = True


@dataclass(slots=True)
class Before:
    """The record before the one that is looked at: its number, its right hash where that is known,
    and whether a row of that number was there at all."""

    seq: int
    hash: bytes | None
    there: bool = True


def prove(found: Iterable[list[Candidate]], start: tuple[int, bytes]) -> Iterator[Proved]:
    """The records that can be relied on, in order. `found` are all versions of each number,
    `start` the number and hash that the chain begins behind."""
    before = Before(*start)
    waiting: list[Candidate] = []
    for versions in found:
        if waiting:
            yield from _look(before, waiting, versions)
        waiting = versions
    if waiting:
        yield from _look(before, waiting, [])


def _look(before: Before, versions: list[Candidate], behind: list[Candidate]) -> Iterator[Proved]:
    """Judge one number; `before` then is this one."""
    seq = versions[0].seq
    if before.seq != seq - 1:
        before.hash, before.there = None, False
    following = behind if behind and behind[0].seq == seq + 1 else []
    made = _judge(before, versions, following)
    before.seq, before.there = seq, True
    before.hash = None if made is None else made.hash
    if made is not None:
        yield made


def _judge(before: Before, versions: list[Candidate], following: list[Candidate]) -> Proved | None:
    seq = versions[0].seq
    if before.hash is not None:
        for one in versions:
            right = _link(before.hash, one.body)
            if one.content is not None and (right == one.hash or _leads_to(right, following)):
                return Proved(seq, right, one)
    for one in versions:
        if _leads_to(one.hash, following):
            alone = not before.there and one.content is not None
            return Proved(seq, one.hash, one if alone else None, proved=False)
    return None


def _leads_to(hashed: bytes, following: list[Candidate]) -> bool:
    return any(_link(hashed, one.body) == one.hash for one in following)


def _link(previous: bytes, body: bytes) -> bytes:
    """What sync/chain.py defines, in bytes."""
    return hashlib.sha256(previous + body).digest()
