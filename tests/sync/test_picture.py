from __future__ import annotations

import hashlib
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import chain
from sync.acknowledgement import Forged, WordError
from sync.picture import (
    MOST_DATA,
    MOST_HEADER,
    MOST_SIZE,
    PictureError,
    Piece,
    Received,
    confined,
    decode_piece,
    decode_received,
    encode_piece,
    encode_received,
    joined,
)

TOPIC = "ei/v1/plant-a/line-3/caps/ack/pictures"
KEY = b"k" * 32
NAMES = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=64)
HASHES = st.binary(max_size=4).map(lambda data: hashlib.sha256(data).hexdigest())
PATHS = st.lists(NAMES.map(lambda name: name[:20]), min_size=1, max_size=4).map(
    lambda parts: "images/" + "/".join(parts) + ".jpg"
)


@st.composite
def pieces(draw):
    data = draw(st.binary(max_size=200))
    offset = draw(st.integers(0, 10**6)) if data else 0
    size = offset + len(data) + (draw(st.integers(0, 10**6)) if data else 0)
    return Piece(draw(NAMES), draw(PATHS), draw(HASHES), size, offset, data)


ONE = Piece("0191-a", "images/2026-11-20/12/0191-a.jpg", "a" * 64, 10, 4, b"ABC\n\x00")
HEADER = json.loads(encode_piece(ONE).split(b"\n", 1)[0])


@given(pieces())
def test_a_piece_arrives_as_it_was_sent(piece):
    payload = encode_piece(piece)
    assert payload.index(b"\n") <= MOST_HEADER
    assert decode_piece(payload) == piece


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused(payload):
    with pytest.raises(PictureError):
        decode_piece(payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from([*HEADER, "more"]), JSON, min_size=1), st.binary(max_size=9))
def test_whatever_a_header_says_either_it_holds_or_it_is_refused(changes, data):
    payload = chain.body({**HEADER, **changes}) if _sendable(changes) else b"{}"
    try:
        found = decode_piece(payload + b"\n" + data)
    except PictureError:
        return
    assert 0 <= found.offset <= found.offset + len(found.data) <= found.size <= MOST_SIZE
    assert confined(found.path)


def _sendable(content):
    try:
        chain.body(content)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "change",
    [
        {"offset": 6},
        {"offset": -1},
        {"size": True},
        {"size": MOST_SIZE + 1},
        {"path": "images/../line.db"},
        {"path": "/etc/passwd"},
        {"sha256": "A" * 64},
        {"inspection": "a/b"},
        {"schema": "picture/2"},
        {"more": 1},
    ],
    ids=str,
)
def test_a_header_that_reaches_too_far_is_refused(change):
    _, data = encode_piece(ONE).split(b"\n", 1)
    with pytest.raises(PictureError):
        decode_piece(chain.body({**HEADER, **change}) + b"\n" + data)


def test_more_data_than_a_piece_may_have_are_refused():
    size = MOST_DATA + 1
    largest = Piece("a", "images/a.jpg", "a" * 64, size, 0, b"x" * MOST_DATA)
    assert decode_piece(encode_piece(largest)) == largest
    with pytest.raises(PictureError):
        decode_piece(encode_piece(Piece("a", "images/a.jpg", "a" * 64, size, 0, b"x" * size)))
    with pytest.raises(PictureError, match="empty"):
        decode_piece(encode_piece(Piece("a", "images/a.jpg", "a" * 64, 5, 0, b"")))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "images",
        "images/",
        "images//a.jpg",
        "images/./a.jpg",
        "images/../a.jpg",
        "images/a/../../line.db",
        "/images/a.jpg",
        "other/a.jpg",
        "images/.hidden",
        "images/a.jpg\n",
        "images/a\0.jpg",
        "images/a\\b.jpg",
        "images/\N{LATIN SMALL LETTER A WITH ACUTE}.jpg",
        "images/" + "a" * 200,
    ],
)
def test_a_path_that_could_lead_elsewhere_is_not_confined(path):
    assert not confined(path)


@given(st.text())
def test_no_confined_path_has_a_way_up(text):
    path = "images/" + text
    if confined(path):
        assert all(part.strip(".") for part in path.split("/"))
        assert path.isascii()


@given(st.binary(min_size=1, max_size=300), st.lists(st.integers(1, 100), min_size=1), st.data())
def test_pieces_cut_in_any_way_make_the_picture_again(data, sizes, drawn):
    """Also when it was cut twice, in different places."""
    cuts = []
    for size in sizes[:2]:
        cuts += [(start, data[start : start + size]) for start in range(0, len(data), size)]
    ordered = sorted(cuts, key=lambda cut: cut[0])
    assert joined(len(data), ordered) == data
    without = drawn.draw(st.sampled_from(ordered))
    remaining = [cut for cut in ordered if cut != without]
    covered = {place for start, cut in remaining for place in range(start, start + len(cut))}
    assert (joined(len(data), remaining) == data) == (covered == set(range(len(data))))


@given(NAMES, HASHES, NAMES, st.none() | st.just(KEY))
def test_the_word_arrives_as_it_was_said(inspection, sha256, store, key):
    said = Received(inspection, sha256, store)
    assert decode_received(TOPIC, encode_received(TOPIC, said, key), key) == said


def test_a_word_of_somebody_else_or_for_another_station_is_forged():
    said = Received("a", "a" * 64, "store")
    other = TOPIC.replace("caps", "lids")
    for payload in (
        encode_received(TOPIC, said),
        encode_received(TOPIC, said, b"another key of 16"),
        encode_received(other, said, KEY),
    ):
        with pytest.raises(Forged):
            decode_received(TOPIC, payload, KEY)


@given(st.binary(max_size=200) | st.dictionaries(st.text(), JSON).map(repr).map(str.encode))
def test_arbitrary_words_are_refused(payload):
    with pytest.raises(WordError):
        decode_received(TOPIC, payload)
