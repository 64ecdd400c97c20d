import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.fleet.said import Evidence, Said, Trial, read
from sync.fleet.words import MOST_BYTES

NAME, DIGEST = "a/b/caps", "d" * 64
EVIDENCE = {
    "parts": 900, "compared": 700,
    "permissive": {"count": 5, "called_good": 2, "against": 2, "open": 1},
    "stricter": 9, "escalated": {"candidate": 40, "other": 30},
    "rejected": {"more": 7, "less": 9}, "deaths": {"candidate": 1, "other": 0},
}  # fmt: skip


def said(**members):
    return json.dumps({"schema": "model-state/1", "station": NAME, **members})


def test_what_a_line_says_of_its_candidate():
    needed = {"good": 3, "defect": 300}
    trial = {"bundle": DIGEST, "state": "shadow", "serial": 7, "evidence": EVIDENCE}
    found = read(said(candidate={**trial, "needed": needed, "parts": 20}), NAME)
    assert found.candidate == Trial(
        DIGEST, "shadow", serial=7, parts=20, needed=(3, 300),
        evidence=Evidence(900, 700, 2, 9, 10, -2, 1),
    )  # fmt: skip


def test_a_state_of_another_station_is_none():
    assert read(said(), "a/b/lids") is None
    assert read(said(), NAME) == Said()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["bundle", "state", "serial", "parts", "evidence", "needed", "good", "code", "bytes",
             "digest", "permissive", "count", "escalated", "trial", "share"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=8,
)  # fmt: skip
MEMBERS = ["desired", "running", "candidate", "last", "refused", "refusal", "delivery", "at",
           "clock_synced"]  # fmt: skip


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON))
def test_whatever_stands_in_it_gives_a_state_or_none(members):
    try:
        text = json.dumps({"schema": "model-state/1", "station": NAME, **members}, allow_nan=False)
    except ValueError:
        return
    found = read(text, NAME)
    assert isinstance(found, Said)
    for one in (found.candidate, found.last):
        assert one is None or (len(one.bundle) == 64 and one.state)


@given(st.binary(max_size=80))
def test_nonsense_is_none(payload):
    assert read(payload, NAME) is None


@pytest.mark.parametrize(
    "payload", ["[" * 100_000, said(at="x" * MOST_BYTES), said()[:-1] + ',"x":NaN}', "null", "[]"]
)
def test_what_would_cost_too_much_or_is_no_json_is_none(payload):
    assert read(payload, NAME) is None


def test_texts_are_short_and_printable():
    refusal = {"code": "expired", "why": "\x1b[2J" + "w" * 9999, "mend": "", "at": ""}
    found = read(said(refusal=refusal), NAME)
    assert "\x1b" not in found.refusal.why
    assert len(found.refusal.why) <= 500
