"""What stations ask for, there and back, and what is not asked."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.assignment import MOST_PIECES
from sync.topics import Station, parse
from sync.want import (
    MOST_RANGES,
    Want,
    WantError,
    chunk_of,
    chunks,
    decode_want,
    encode_want,
    piece_size,
    ranges,
)

SHA = "ab" * 32
WANT = Want(SHA, 100, 10, ((0, 2), (9, 9)), 4)
CAPS = Station("plant-a", "line-3", "caps")


def test_there_and_back():
    assert decode_want(encode_want(WANT)) == WANT
    assert list(WANT.numbers) == [0, 1, 2, 9]


@given(st.sets(st.integers(0, 300), min_size=1))
def test_ranges_hold_the_numbers_and_nothing_else(numbers):
    found = ranges(sorted(numbers))
    assert {n for first, last in found for n in range(first, last + 1)} == numbers
    assert all(second[0] > first[1] + 1 for first, second in pairwise(found))


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "x"},
        {"sha256": None},
        {"size": 0},
        {"size": True},
        {"piece": 0},
        {"piece": 1.0},
        {"pieces": []},
        {"pieces": [[0, 10]]},
        {"pieces": [[2, 1]]},
        {"pieces": [[0, 3], [3, 4]]},
        {"pieces": [[0]]},
        {"pieces": [[-1, 0]]},
        {"pieces": [[0, 0]] * (MOST_RANGES + 1)},
        {"pieces": {}},
        {"window": 0},
        {"window": MOST_PIECES + 1},
        {"schema": "want/2"},
        {"more": 1},
    ],
)
def test_what_is_no_want_is_refused(change):
    content = {**json.loads(encode_want(WANT)), **change}
    with pytest.raises(WantError):
        decode_want(json.dumps(content).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_the_same_way(payload):
    with pytest.raises(WantError):
        decode_want(payload)


def test_too_much_is_not_even_read():
    with pytest.raises(WantError, match="4096"):
        decode_want(b" " * 4097)


def test_the_topic_of_a_piece():
    topic = CAPS.model_chunk(SHA, 17)
    assert chunk_of(parse(topic)[1]) == (SHA, 17)
    assert topic.startswith(chunks(CAPS).removesuffix("#"))


@pytest.mark.parametrize(
    "leaf",
    ["model/chunk", f"model/chunk/{SHA}", "model/chunk/x/1", f"model/chunk/{SHA}/01", "a/b/c/1"],
)
def test_other_topics_are_no_piece_s(leaf):
    with pytest.raises(WantError):
        chunk_of(leaf)


@given(st.integers(1, 500 * 10**6))
def test_pieces_are_few_and_small(size):
    piece = piece_size(size)
    assert -(-size // piece) <= 2048
    assert piece == 16384 or piece * 1024 < size
