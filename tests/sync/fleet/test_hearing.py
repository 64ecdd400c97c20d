import json

from hypothesis import given
from hypothesis import strategies as st

from sync.fleet.arrival import Key
from sync.fleet.hearing import ASK_AGAIN_S, Hearing

NAME = "plant-a/line-3/caps"


def said(acknowledge="collector", **streams):
    content = {"schema": "station-status/1", "station": NAME, "acknowledge": acknowledge}
    content["acknowledged"] = {
        stream: {"epoch": epoch, "seq": seq} for stream, (epoch, seq) in streams.items()
    }
    return json.dumps(content).encode()


def behind(hearing, now, **held):
    return hearing.behind(now, lambda key, claimed: held.get(key.stream, 0))


def test_a_station_that_believes_further_is_behind():
    hearing = Hearing()
    assert hearing.take(NAME, said(line=("e", 100), queue=("q", 7)))
    assert behind(hearing, 0.0, line=60, queue=7) == [(Key(NAME, "line", "e"), 61)]


def test_it_is_named_again_only_after_a_while():
    hearing = Hearing()
    hearing.take(NAME, said(line=("e", 100)))
    assert behind(hearing, 0.0)
    assert not behind(hearing, ASK_AGAIN_S - 1)
    assert behind(hearing, ASK_AGAIN_S) == [(Key(NAME, "line", "e"), 1)]


def test_it_is_not_behind_once_it_went_back():
    hearing = Hearing()
    hearing.take(NAME, said(line=("e", 100)))
    hearing.take(NAME, said(line=("e", 10)))
    assert not behind(hearing, 0.0, line=10)


def test_who_trusts_the_broker_is_never_asked():
    hearing = Hearing()
    hearing.take(NAME, said("broker", line=("e", 100)))
    assert not behind(hearing, 0.0)


def test_the_will_keeps_the_numbers():
    hearing = Hearing()
    hearing.take(NAME, said(line=("e", 100)))
    gone = json.dumps({"schema": "station-status/1", "station": NAME, "sync": "down"})
    hearing.take(NAME, gone.encode())
    (word,) = hearing.news().values()
    assert json.loads(word.status)["sync"] == "down"
    assert json.loads(word.delivery)["acknowledged"]["line"]["seq"] == 100
    assert behind(hearing, 0.0)
    assert hearing.news() == {}
    hearing.take(NAME, gone.encode())
    assert hearing.news()[NAME].delivery is None


def test_another_stations_word_is_none():
    hearing = Hearing()
    assert not hearing.take("plant-a/line-3/other", said(line=("e", 1)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(json_values, json_values, json_values)
def test_arbitrary_words_have_no_effect_but_their_own(acknowledge, acknowledged, other):
    hearing = Hearing()
    content = {"acknowledge": acknowledge, "acknowledged": acknowledged, "other": other}
    for payload in (content, {**content, "schema": "station-status/1", "station": NAME}, other):
        hearing.take(NAME, json.dumps(payload).encode())
        hearing.behind(0.0, lambda key, claimed: 0)
        hearing.news()


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_word(payload):
    assert not Hearing().take(NAME, payload)
