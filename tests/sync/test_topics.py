from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.topics import Station, TopicError, parse

CAPS = Station("plant-a", "line-3", "caps")
NAMES = st.from_regex(r"[a-z0-9_-]{1,64}", fullmatch=True)


def test_names_are_as_documented():
    assert CAPS.status == "ei/v1/plant-a/line-3/caps/status"
    assert CAPS.results("line") == "ei/v1/plant-a/line-3/caps/results/line"
    assert CAPS.model_state == "ei/v1/plant-a/line-3/caps/model/state"
    assert CAPS.model_assignment == "ei/v1/plant-a/line-3/caps/model/assignment"
    assert CAPS.model_want == "ei/v1/plant-a/line-3/caps/model/want"
    assert CAPS.model_chunk("ab", 7) == "ei/v1/plant-a/line-3/caps/model/chunk/ab/7"
    assert str(CAPS) == "plant-a/line-3/caps"


@given(NAMES, NAMES, NAMES, st.from_regex(r"[a-z]{1,9}(/[a-z0-9]{1,9}){0,2}", fullmatch=True))
def test_what_is_built_can_be_parsed(site, line, name, leaf):
    station = Station(site, line, name)
    assert parse(station.topic(leaf)) == (station, leaf)
    assert Station.parse(str(station)) == station


@pytest.mark.parametrize(
    "text", ["", "a/b", "a/b/c/d", "A/b/c", "a/+/c", "a/#/c", "a//c", "a/b/c\n"]
)
def test_a_wrong_station_is_refused(text):
    with pytest.raises(TopicError):
        Station.parse(text)


@given(st.text())
def test_no_topic_but_ours_is_parsed(text):
    try:
        station, leaf = parse(text)
    except TopicError:
        return
    assert station.topic(leaf) == text


@pytest.mark.parametrize("leaf", ["", "/", "a/", "results/+", "#", "a/b/c/d/e"])
def test_a_strange_leaf_is_refused(leaf):
    with pytest.raises(TopicError):
        CAPS.topic(leaf)
