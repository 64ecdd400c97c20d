"""Writes flatbuffers from nested values, without generated code, so that it works on every
Python that the project supports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np


@dataclass(frozen=True)
class Int:
    """A scalar of `bits` in a table; unsigned where it is a size or an index."""

    value: int
    bits: int = 32


@dataclass(frozen=True)
class Float:
    """A 32-bit float in a table."""

    value: float


@dataclass(frozen=True)
class Array:
    """A vector of numbers of one numpy type."""

    values: Sequence[float]
    dtype: str


Table = dict[int, Any]
"""Values by slot: Int, Float, Array, str, bytes, a Table, or a list of Tables."""


def write(root: Table, identifier: bytes) -> bytes:
    """The flatbuffer of a root table."""
    builder = flatbuffers.Builder(1024)
    offset = _write_table(builder, root)
    builder.Finish(offset, file_identifier=identifier)
    return bytes(builder.Output())


def _write_table(builder: Any, table: Table) -> int:
    offsets = {slot: _write_offset(builder, value) for slot, value in table.items()}
    builder.StartObject(max(table, default=-1) + 1)
    for slot, value in table.items():
        if isinstance(value, Int):
            prepend = getattr(builder, f"PrependInt{value.bits}Slot")
            prepend(slot, value.value, None)
        elif isinstance(value, Float):
            builder.PrependFloat32Slot(slot, value.value, None)
        else:
            builder.PrependUOffsetTRelativeSlot(slot, offsets[slot], 0)
    return int(builder.EndObject())


def _write_offset(builder: Any, value: Any) -> int:
    if isinstance(value, str):
        return int(builder.CreateString(value))
    if isinstance(value, bytes):
        return _write_bytes(builder, value)
    if isinstance(value, Array):
        return int(builder.CreateNumpyVector(np.asarray(value.values, value.dtype)))
    if isinstance(value, dict):
        return _write_table(builder, value)
    if isinstance(value, list):
        offsets = [_write_table(builder, item) for item in value]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return int(builder.EndVector())
    return 0


def _write_bytes(builder: Any, value: bytes) -> int:
    """Aligned to 16 bytes, as TFLite wants the contents of its buffers."""
    builder.StartVector(1, len(value), 16)
    builder.head = builder.Head() - len(value)
    builder.Bytes[builder.Head() : builder.Head() + len(value)] = value
    return int(builder.EndVector())
