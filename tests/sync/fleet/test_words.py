import json

from hypothesis import given
from hypothesis import strategies as st

from sync.fleet.account import Word
from sync.fleet.arrival import Key
from sync.fleet.words import BROKER, chains, status

NAME = "plant-a/line-3/caps"


def said(**members):
    return {"schema": "station-status/1", "station": NAME, **members}


def test_what_a_station_says_of_its_chains():
    content = said(
        acknowledge="collector",
        backlog=47,
        backlogs={"line": 40, "queue": 0},
        acknowledged={
            "line": {"epoch": "e", "seq": 60, "by": "store"},
            "queue": {"epoch": "q", "seq": 7, "by": None},
        },
        salvaged={"old": {"stream": "line", "backlog": 7, "epoch": "old", "seq": 3, "by": "s"}},
    )
    assert chains(NAME, content) == {
        Key(NAME, "line", "e"): Word(100, 60, "store"),
        Key(NAME, "queue", "q"): Word(7, 7, None),
        Key(NAME, "line", "old"): Word(10, 3, "s"),
    }


def test_where_the_broker_has_the_word_it_is_said():
    content = said(acknowledge="broker", acknowledged={"line": {"epoch": "e", "seq": 60}})
    assert chains(NAME, content) == {Key(NAME, "line", "e"): Word(60, 60, BROKER)}


def test_what_is_not_there_yet_is_left_out():
    assert chains(NAME, said(acknowledge="collector", acknowledged={"line": None})) == {}
    assert chains(NAME, said()) == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(json_values, json_values, json_values)
def test_arbitrary_members_say_nothing(acknowledged, backlogs, salvaged):
    content = said(acknowledged=acknowledged, backlogs=backlogs, salvaged=salvaged)
    assert status(json.dumps(content)) == content
    assert all(isinstance(key, Key) for key in chains(NAME, content))


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_no_status(payload):
    assert status(payload) is None


def test_a_name_that_can_be_in_no_topic_says_nothing():
    names = ("", "Line 1", "a/b", "#", "\ud800", "a\0b", "x" * 65)
    one = {"epoch": "e", "seq": 1}
    streams = said(acknowledge="collector", acknowledged={name: one for name in names})
    assert chains(NAME, streams) == {}
    for name in names:
        epoch = said(acknowledge="collector", acknowledged={"line": {"epoch": name, "seq": 1}})
        assert chains(NAME, epoch) == {}
