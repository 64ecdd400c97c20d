from __future__ import annotations

import json
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import chain
from sync.segment import MAX_BYTES, Segment, SegmentError, decode, encode, join

EPOCH = "0190b5a2-0000-7000-8000-000000000000"


def record(seq: int, text: str, stream: str = "line", epoch: str = EPOCH) -> bytes:
    return chain.body({"stream": stream, "epoch": epoch, "seq": seq, "text": text})


def make(texts: list[str], first: int = 1, previous: str = chain.GENESIS) -> Segment:
    records = [record(first + number, text) for number, text in enumerate(texts)]
    return join("line", EPOCH, first, previous, records)


SEGMENTS = st.builds(
    make,
    st.lists(st.text(max_size=60), min_size=1, max_size=12),
    st.integers(1, 2**53),
    st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
)


@given(SEGMENTS)
def test_round_trip(segment):
    assert decode(encode(segment)) == segment


@given(SEGMENTS, st.data())
def test_no_flipped_bit_changes_what_is_read(segment, data):
    payload = bytearray(encode(segment))
    place = data.draw(st.integers(0, len(payload) * 8 - 1))
    payload[place // 8] ^= 1 << place % 8
    try:
        found = decode(bytes(payload))
    except SegmentError:
        return
    # Only the unused bits at the end of the compressed data mean nothing.
    assert found == segment
    assert place // 8 >= len(payload) - 6


def test_every_single_bit_of_one_segment():
    segment = make(["scratch", "dent", "good"] * 3)
    payload = encode(segment)
    harmless = 0
    for place in range(len(payload) * 8):
        flipped = bytearray(payload)
        flipped[place // 8] ^= 1 << place % 8
        try:
            harmless += decode(bytes(flipped)) == segment
        except SegmentError:
            continue
    assert harmless < 8


@given(SEGMENTS, st.data())
def test_every_truncation_is_found(segment, data):
    payload = encode(segment)
    with pytest.raises(SegmentError):
        decode(payload[: data.draw(st.integers(0, len(payload) - 1))])


@given(SEGMENTS, st.binary(min_size=1, max_size=20))
def test_anything_appended_is_found(segment, more):
    with pytest.raises(SegmentError):
        decode(encode(segment) + more)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused(payload):
    with pytest.raises(SegmentError):
        decode(payload)


HEADER = json.loads(encode(make(["a", "b"])).split(b"\n", 1)[0])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@given(st.sampled_from(sorted(HEADER)), JSON)
def test_a_header_with_another_value_is_refused(name, value):
    _, rest = encode(make(["a", "b"])).split(b"\n", 1)
    changed = {**HEADER, name: value}
    if changed == HEADER and type(value) is type(HEADER[name]):
        return
    payload = json.dumps(changed, sort_keys=True, separators=(",", ":")).encode() + b"\n" + rest
    with pytest.raises(SegmentError):
        decode(payload)


def test_a_bomb_is_not_unpacked():
    small = zlib.compress(b"[" * (4 * MAX_BYTES), 1)
    header = {**HEADER, "bytes": MAX_BYTES}
    with pytest.raises(SegmentError, match="cut off, or longer"):
        decode(chain.body(header) + b"\n" + small)
    with pytest.raises(SegmentError, match="at most"):
        decode(chain.body({**header, "bytes": MAX_BYTES + 1}) + b"\n" + small)


def test_a_small_lie_does_not_cost_much_memory():
    bomb = zlib.compress(bytes(4 * MAX_BYTES), 1)
    payload = chain.body({**HEADER, "bytes": 1000}) + b"\n" + bomb
    tracemalloc.start()
    with pytest.raises(SegmentError):
        decode(payload)
    assert tracemalloc.get_traced_memory()[1] < MAX_BYTES
    tracemalloc.stop()


def test_records_of_another_chain_are_refused():
    """The chain fits, but the records say that they are others."""
    for wrong in (record(2, "x"), record(1, "x", stream="queue"), record(1, "x", epoch="other")):
        with pytest.raises(SegmentError, match="another one"):
            decode(encode(join("line", EPOCH, 1, chain.GENESIS, [wrong])))
    last = [record(1, "x"), record(3, "x")]
    with pytest.raises(SegmentError, match="record 2 says"):
        decode(encode(join("line", EPOCH, 1, chain.GENESIS, last)))


def test_an_unknown_encoding_says_so():
    with pytest.raises(SegmentError, match="newer version"):
        decode(chain.body({**HEADER, "encoding": "zstd"}) + b"\nrest")


def test_nothing_and_newlines_cannot_be_joined():
    with pytest.raises(SegmentError):
        join("line", EPOCH, 1, chain.GENESIS, [])
    with pytest.raises(SegmentError):
        join("line", EPOCH, 1, chain.GENESIS, [b"a\nb"])


def test_the_reader_in_the_docs_works():
    text = (Path(__file__).parents[2] / "docs" / "mqtt.md").read_text()
    code = text.split("```python\n", 1)[1].split("```", 1)[0]
    known: dict = {}
    exec(code, known)
    payload = encode(make(["scratch", "dent"], first=7, previous="ab" * 32))
    assert [one["text"] for one in known["records"](payload)] == ["scratch", "dent"]
    with pytest.raises(AssertionError):
        known["records"](payload.replace(b"abab", b"abac"))


@pytest.mark.parametrize("member", ["stream", "epoch"])
@pytest.mark.parametrize("name", ["", "\ud800", "a\0b", "a b", "x" * 65])
def test_a_header_with_a_name_that_is_none_is_refused(member, name):
    head, rest = encode(make(["a"])).split(b"\n", 1)
    header = json.dumps({**json.loads(head), member: name}).encode()
    with pytest.raises(SegmentError, match=f"{member} in the header is not a name"):
        decode(header + b"\n" + rest)
