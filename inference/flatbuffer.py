"""Reading flatbuffers by slot number, never outside their bytes. Pure.

Enough of https://flatbuffers.dev/internals/ for TFLite's own file and the metadata inside it, for
files that may be damaged and without generated code, which is not there on Python 3.10.
"""

from __future__ import annotations

import struct
from typing import Any


class Damaged(ValueError):
    """An offset or a length that leads out of the file."""


class Table:
    """One table of a flatbuffer. Every reader gives the default where the slot is not there, and
    raises Damaged where it leads out of the bytes."""

    def __init__(self, content: bytes, position: int) -> None:
        self._content = content
        self._position = position
        self._vtable = position - self._number("<i", position)
        self._slots = (self._number("<H", self._vtable) - 4) // 2

    @classmethod
    def root(cls, content: bytes, identifier: bytes) -> Table:
        """The root table. Raises Damaged when the bytes are something else."""
        if content[4:8] != identifier:
            raise Damaged(f"no file of type {identifier.decode()}")
        return cls(content, cls._unpack(content, "<I", 0))

    def integer(self, slot: int, layout: str = "<i", default: int = 0) -> int:
        """A scalar; `layout` as in the struct module."""
        at = self._at(slot)
        return int(self._number(layout, at)) if at else default

    def text(self, slot: int) -> str:
        """A string; empty when it is not there."""
        return self.raw(slot).decode(errors="replace")

    def raw(self, slot: int) -> bytes:
        """A vector of bytes; empty when it is not there."""
        start, length = self._vector(slot, 1)
        return self._content[start : start + length]

    def numbers(self, slot: int, letter: str) -> tuple[Any, ...]:
        """A vector of numbers; `letter` as in the struct module, for one of them."""
        start, length = self._vector(slot, struct.calcsize("<" + letter))
        values: tuple[Any, ...] = struct.unpack_from(f"<{length}{letter}", self._content, start)
        return values

    def table(self, slot: int) -> Table | None:
        """A table within."""
        at = self._at(slot)
        return Table(self._content, at + self._number("<I", at)) if at else None

    def tables(self, slot: int) -> list[Table]:
        """A vector of tables."""
        start, length = self._vector(slot, 4)
        places = range(start, start + 4 * length, 4)
        return [Table(self._content, at + self._number("<I", at)) for at in places]

    def _at(self, slot: int) -> int:
        """Where a slot's value is; 0 for nowhere."""
        if slot >= self._slots:
            return 0
        offset = self._number("<H", self._vtable + 4 + 2 * slot)
        return self._position + offset if offset else 0

    def _vector(self, slot: int, size: int) -> tuple[int, int]:
        at = self._at(slot)
        if not at:
            return 0, 0
        start = at + self._number("<I", at)
        length = self._number("<I", start)
        if start + 4 + length * size > len(self._content):
            raise Damaged(f"a vector of {length} at {start} leads out of the file")
        return start + 4, length

    def _number(self, layout: str, at: int) -> int:
        return self._unpack(self._content, layout, at)

    @staticmethod
    def _unpack(content: bytes, layout: str, at: int) -> int:
        if at < 0 or at + struct.calcsize(layout) > len(content):
            raise Damaged(f"the place {at} lies outside the file")
        value: int = struct.unpack_from(layout, content, at)[0]
        return value
