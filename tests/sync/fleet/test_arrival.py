import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import chain
from sync.fleet.arrival import LONGEST, Key, look_up, read, station_of
from sync.segment import SegmentError, encode, join
from sync.topics import Station
from tests.sync.fleet.plant import EPOCH, STATION, Chain

PLACE = {"station": str(STATION), "stream": "line", "epoch": EPOCH}
TOPIC = STATION.results("line")


def payload_of(*records, **other):
    bodies = [
        one if isinstance(one, bytes) else json.dumps({**PLACE, "seq": seq, **one}).encode()
        for seq, one in enumerate(records, 1)
    ]
    return encode(join("line", EPOCH, 1, chain.GENESIS, bodies))


def row_of(**content):
    return read(TOPIC, payload_of(content)).rows[0]


def test_a_segment_becomes_rows():
    line = Chain(5)
    arrival = read(line.topic, line.payload(2, 4))
    assert arrival.key == Key("plant-a/line-3/caps", "line", EPOCH)
    assert [row[0] for row in arrival.rows] == [2, 3, 4]
    assert [row[-2].encode() for row in arrival.rows] == line.bodies[1:4]
    assert [row[-1].hex() for row in arrival.rows] == line.hashes[2:5]
    assert arrival.rows[0][1:6] == (
        "inspection/1",
        f"{EPOCH}-2",
        "P-2",
        "2026-11-20T12:00:02.000Z",
        "accept",
    )


def test_what_is_about_an_inspection_is_found_by_it():
    row = row_of(schema="verdict/1", id="v", inspection="i", at="t", part_id=None)
    assert row[1:6] == ("verdict/1", "i", None, "t", None)


@pytest.mark.parametrize("strange", ["a\0b", "\ud800", "x" * 1000, "tab\t"])
def test_look_up_columns_hold_what_every_database_can(strange):
    row = row_of(schema="s/1", id=strange, part_id=strange)
    assert json.loads(row[6])["part_id"] == strange
    for column in (row[2], row[3]):
        assert "\0" not in column
        column.encode()
        assert len(column) <= LONGEST


@pytest.mark.parametrize("strange", [0, False, [], {}, 7, 1.5, {"a": 1}])
def test_look_up_columns_hold_texts_only(strange):
    assert row_of(schema=strange, id=strange, part_id=strange, decision=strange)[1:6] == (
        None,
        None,
        None,
        None,
        None,
    )
    assert look_up(strange) is None


@pytest.mark.parametrize(
    "wrong",
    [{"station": "plant-a/line-3/other"}, {"stream": "queue"}, {"epoch": "e"}, {"seq": 7}],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_record_says_whose_it_is(wrong, place):
    records = [{}, {}, {}]
    records[place] = wrong
    with pytest.raises(SegmentError, match="says that it is another one"):
        read(TOPIC, payload_of(*records))


@pytest.mark.parametrize(
    "wrong", [b"[]", b"7", b"{", b"", b'{"a":NaN}', b'{"a":"\xff"}', b"[" * 5000, b"{}\0"]
)
def test_every_record_is_a_json_object(wrong):
    with pytest.raises(SegmentError):
        read(TOPIC, payload_of({}, wrong, {}))


def test_a_segment_on_the_topic_of_another_is_refused():
    line = Chain(3)
    for topic in (
        Station("plant-a", "line-3", "other").results("line"),
        STATION.results("queue"),
        "ei/v1/a",
        STATION.status,
        "",
    ):
        with pytest.raises(SegmentError):
            read(topic, line.payload(1, 3))


@given(st.text(max_size=60) | st.just(TOPIC), st.binary(max_size=300))
def test_arbitrary_bytes_are_a_segment_error(topic, payload):
    with pytest.raises(SegmentError):
        read(topic, payload)
    station_of(topic)


def test_whose_status_a_topic_is():
    assert station_of(STATION.status) == STATION
    assert station_of(STATION.results("line")) is None
    assert station_of("status") is None
