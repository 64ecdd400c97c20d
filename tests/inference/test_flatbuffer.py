from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.flatbuffer import Damaged, Table
from tests.simulators.flatbuffer import Array, Float, Int, write

CONTENT = write(
    {
        0: Int(7),
        1: "a name",
        2: Array([1.5, 2.5], "float32"),
        3: {0: Int(-3, 8)},
        5: [{0: Int(1)}, {0: Int(2)}],
        6: b"bytes",
        7: Float(0.5),
    },
    b"TEST",
)


def read_all(content: bytes) -> list[object]:
    root = Table.root(content, b"TEST")
    inner = root.table(3)
    return [
        root.integer(0),
        root.text(1),
        root.numbers(2, "f"),
        inner.integer(0, "<b") if inner else None,
        root.table(4),
        [table.integer(0) for table in root.tables(5)],
        root.raw(6),
        root.integer(99, default=5),
    ]


def test_reads_what_was_written():
    assert read_all(CONTENT) == [7, "a name", (1.5, 2.5), -3, None, [1, 2], b"bytes", 5]


def test_another_type_of_file_is_refused():
    with pytest.raises(Damaged, match="OTHR"):
        Table.root(CONTENT, b"OTHR")


@given(st.data())
def test_damage_is_damaged_or_another_value_and_never_anything_else(data):
    damaged = bytearray(CONTENT)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    for content in (bytes(damaged), CONTENT[:cut]):
        try:
            read_all(content)
        except Damaged:
            continue
