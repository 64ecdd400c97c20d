"""10,000 payloads on every topic that is subscribed to: nothing moves, nothing ends."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import chain
from sync.acknowledgement import seal
from tests.sync.bench import STATION, Bench, through

KEY, OTHER = b"0123456789abcdef", b"fedcba9876543210"
TOPICS = [STATION.ack("line"), STATION.ack("queue"), STATION.rewind]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
HASHES = st.sampled_from([chain.GENESIS, "f" * 64, "F" * 64, "ab", ""]) | st.none()
NUMBERS = st.integers(-2, 50) | st.sampled_from([2**63 - 1, 2**63, 1.5, "1", None, True])
NAMES = st.sampled_from(["epoch-1", "epoch-0", "line", "queue", "", "a b", None])
SPANS = st.lists(st.tuples(NUMBERS, NUMBERS, HASHES), max_size=3)
EPOCHS = st.fixed_dictionaries({"epoch": NAMES, "through": NUMBERS, "hash": HASHES, "ahead": SPANS})
ACKS = st.fixed_dictionaries({"epochs": st.lists(EPOCHS, max_size=3), "store": NAMES})
REWINDS = st.fixed_dictionaries({"stream": NAMES, "epoch": NAMES, "from": NUMBERS, "store": NAMES})
WORDS = ACKS | REWINDS | st.dictionaries(st.text(max_size=5), ANYTHING, max_size=3)
SEALS = st.sampled_from(["none", "empty", "other", "topic", "true"])


def right(journal, topic):
    """A true word, that only somebody with the key may say."""
    if topic == STATION.rewind:
        return {"stream": "line", "epoch": "epoch-1", "from": 1, "store": "s"}
    said = through(journal, 40)
    one = {"epoch": said.epoch, "through": 40, "hash": said.hash, "ahead": []}
    return {"epochs": [one], "store": "s"}


@st.composite
def payloads(draw):
    """Bytes, JSON, words that are nearly right, and right ones under a wrong seal."""
    kind = draw(st.sampled_from(["bytes", "json", "word", "word", "right"]))
    if kind == "bytes":
        return draw(st.binary(max_size=80)), None
    if kind == "json":
        return json.dumps(draw(ANYTHING)).encode(), None
    return (None if kind == "right" else draw(WORDS)), draw(SEALS)


def sealed(topic, content, how):
    """Never a right word under a right seal."""
    if how == "none":
        return json.dumps(content).encode()
    if how == "empty":
        return json.dumps({**content, "hmac": ""}).encode()
    other = STATION.ack("pictures") if how == "topic" else topic
    try:
        return seal(other, content, OTHER if how == "other" else KEY)
    except ValueError:  # infinity has no canonical form
        return json.dumps(content).encode()


@pytest.mark.slow
@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=100)
@given(data=st.data())
def test_nothing_that_arrives_moves_anything(tmp_path_factory, topic, data):
    bench = Bench(
        tmp_path_factory.mktemp("b"), 40, collector=True, key=lambda: KEY, max_rows=8, window=4
    )
    bench.connect()
    bench.step(5)
    bench.transport.acknowledge_all()
    bench.say(through(bench.journal, 16), key=KEY)
    bench.step(5)
    sent = len(bench.sent())
    for content, how in data.draw(st.lists(payloads(), min_size=100, max_size=100)):
        if how is None:
            payload = content
        elif content is None:
            payload = sealed(topic, right(bench.journal, topic), "topic" if how == "true" else how)
        else:
            if topic == STATION.rewind and how == "true" and content.get("from") in range(1, 17):
                content = {**content, "from": 17}  # else it might be what it looks like
            payload = sealed(topic, content, how)
        bench.transport.say(topic, payload, retained=len(payload) % 2 == 0)
        bench.uplink.step(bench.now)
        assert bench.position.seq == 16
    assert len(bench.sent()) - sent <= 20
    assert bench.uplink.connected
    bench.say(through(bench.journal, 40), key=KEY)
    bench.step(2)
    assert bench.position.seq == 40
    assert bench.troubles == []


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from([*TOPICS, "a/b", ""]), st.binary(max_size=60))))
def test_with_acknowledge_broker_everything_is_counted_and_nothing_else(tmp_path_factory, messages):
    bench = Bench(tmp_path_factory.mktemp("b"), 40)
    bench.connect()
    for topic, payload in messages:
        bench.transport.say(topic, payload)
    bench.step()
    assert bench.uplink.ignored == len(messages)
    assert bench.position.seq == 0


def test_even_a_mistake_of_ours_ends_nothing(tmp_path, monkeypatch):
    bench = Bench(tmp_path, 40, collector=True)
    bench.connect()

    def fail(*arguments):
        raise RuntimeError("a mistake")

    monkeypatch.setattr("sync.hearing.decode_acknowledgement", fail)
    bench.say(through(bench.journal, 40))
    bench.step()
    assert bench.uplink.ignored == 1
    assert "a mistake" in bench.told[0][1]
