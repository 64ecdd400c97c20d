"""Evidence on the disk: what is written is read again, whatever became of the end of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.rollout.evidence import Evidence
from edge.rollout.pair import Answer, Pair
from edge.rollout.pairs import (
    PairsFile,
    Word,
    apply,
    lines,
    pair_line,
    pair_of,
    pairs_and_words,
    replay,
    tidy,
    verdict_line,
)
from sync.assignment import Limits

SCORES = st.one_of(st.none(), st.floats(0, 1))
TEXTS = st.one_of(st.none(), st.text(max_size=20))
DECISIONS = st.sampled_from([None, "accept", "reject", "escalate"])
ANSWERS = st.builds(
    Answer, SCORES, TEXTS, DECISIONS, TEXTS, st.floats(0, 1e6).map(lambda ms: round(ms, 3))
)
PAIRS = st.builds(
    Pair,
    st.text(max_size=40),
    TEXTS,
    st.floats(0, 1e10),
    st.sampled_from(["active", "candidate"]),
    ANSWERS,
    ANSWERS,
    st.booleans(),
    st.sampled_from([None, "good", "defect"]),
    st.sampled_from([None, "images/a.jpg"]),
)


def pair(number: int) -> Pair:
    said = Answer(0.1, "good", "accept", None, 5.0)
    other = Answer(0.5, "good", "escalate" if number % 9 == 0 else "accept", None, 6.0)
    return Pair(f"i{number}", None, float(number), "active", other, said, picture=f"{number}.jpg")


@given(PAIRS)
def test_a_pair_is_read_as_it_was_written(pair: Pair) -> None:
    assert pair_of(json.loads(json.dumps(pair_line(pair), allow_nan=False))) == pair


def filled(path: Path, pairs: int) -> Evidence:
    """A file of so many pairs, with an answer about every ninth, and the evidence that it is."""
    file, evidence = PairsFile(path), Evidence(Limits())
    for number in range(pairs):
        new = [pair_line(pair(number))]
        if number % 9 == 0:
            new.append(verdict_line(Word(f"i{number}", "accept", "good")))
        if number % 100 == 50:
            new.append({"death": "candidate"})
            new.append({"queue": ["e", number]})
        for line in new:
            apply(line, evidence)
        file.append(new)
    return evidence


def test_a_restart_takes_up_what_is_there(tmp_path: Path) -> None:
    before = filled(tmp_path / "a.jsonl", 400)
    again = Evidence(Limits())
    assert replay(tmp_path / "a.jsonl", again) == {"queue": ["e", 350]}
    assert json.dumps(again.kept()) == json.dumps(before.kept())


def test_no_file_is_no_evidence(tmp_path: Path) -> None:
    evidence = Evidence(Limits())
    assert replay(tmp_path / "none.jsonl", evidence) is None
    assert evidence.parts == 0
    assert pairs_and_words(tmp_path / "none.jsonl") == ([], {})


def test_a_torn_line_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    filled(path, 20)
    whole = path.read_bytes()
    for length in range(len(whole) - 120, len(whole)):
        path.write_bytes(whole[:length])
        PairsFile(path).append([pair_line(pair(99))])
        pairs, _ = pairs_and_words(path)
        assert pairs[-1] == pair(99)
        assert len(pairs) >= 19


@pytest.mark.parametrize(
    "nonsense",
    [b"\xff\xfe", b"[]", b"{}", b'{"pair":3}', b'{"pair":["a",null,"x","active",[],[]]}',
     b'{"verdict":{}}', b'{"kept":{"counts":1}}', b'{"queue":5}', b"[" * 100_000],
)  # fmt: skip
def test_nonsense_has_no_effect(tmp_path: Path, nonsense: bytes) -> None:
    path = tmp_path / "a.jsonl"
    evidence = filled(path, 30)
    text = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*text[:10], nonsense, *text[10:], b""]))
    again = Evidence(Limits())
    replay(path, again)
    assert again.as_json() == evidence.as_json()
    assert len(pairs_and_words(path)[0]) == 30


def test_a_file_that_grows_is_made_anew_and_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    evidence = filled(path, 400)
    file = PairsFile(path, most_bytes=20_000, tail=50)
    assert file.shorten(evidence, {"queue": ["e", 350]})
    again = Evidence(Limits())
    assert replay(path, again) == {"queue": ["e", 350]}
    assert json.dumps(again.kept()) == json.dumps(evidence.kept())
    pairs, words = pairs_and_words(path)
    assert pairs == [pair(number) for number in range(355, 400)]
    assert set(words) == {f"i{number}" for number in range(360, 400, 9)}
    # and once more, with new pairs behind the old ones
    for number in range(400, 420):
        apply(pair_line(pair(number)), evidence)
        file.append([pair_line(pair(number))])
    assert PairsFile(path, most_bytes=1, tail=50).shorten(evidence)
    third = Evidence(Limits())
    replay(path, third)
    assert third.parts == 420
    newest = [one.inspection for one in pairs_and_words(path)[0]]
    assert newest[-20:] == [f"i{n}" for n in range(400, 420)]
    assert 40 < len(newest) <= 50


def test_lines_that_say_nothing_today_are_passed_over(tmp_path: Path) -> None:
    """Such as those that told of a promotion once, and what was summed up by then."""
    path = tmp_path / "a.jsonl"
    kept = {**Evidence(Limits()).kept(), "newcomer": "candidate"}
    file = PairsFile(path, most_bytes=1)
    file.append([{"kept": kept}, pair_line(pair(1)), {"promoted": True}, pair_line(pair(2))])
    evidence = Evidence(Limits())
    replay(path, evidence)
    assert evidence.parts == 2
    assert file.shorten(evidence)
    assert pairs_and_words(path)[0] == [pair(1), pair(2)]
    again = Evidence(Limits())
    replay(path, again)
    assert again.kept() == evidence.kept()


def test_files_of_the_newest_candidates_stay(tmp_path: Path) -> None:
    for number in range(15):
        (tmp_path / f"0191-{number:02}.jsonl").touch()
    own = tmp_path / "0190-00.jsonl"  # the clock was set back meanwhile
    tidy(own)
    assert len(list(tmp_path.iterdir())) == 9
    own.touch()
    tidy(own)
    assert len(list(tmp_path.iterdir())) == 10
    assert own.exists()
    assert (tmp_path / "0191-14.jsonl").exists()


def test_a_small_file_stays_as_it_is(tmp_path: Path) -> None:
    evidence = filled(tmp_path / "a.jsonl", 5)
    assert not PairsFile(tmp_path / "a.jsonl").shorten(evidence)
    assert not any("kept" in line for line in lines(tmp_path / "a.jsonl"))
