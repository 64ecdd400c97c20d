"""What the hashes prove, against every way to damage a short chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from edge.recovery.candidates import Candidate
from edge.recovery.proof import Proved, prove

START = (0, bytes(32))


def chain(count: int) -> list[Candidate]:
    found, last = [], bytes(32)
    for seq in range(1, count + 1):
        content: Mapping[str, object] = {"seq": seq}
        body = json.dumps(content).encode()
        last = hashlib.sha256(last + body).digest()
        found.append(Candidate(seq, body, last, content))
    return found


def kept(found: list[Proved]) -> dict[int, bool]:
    return {one.seq: one.proved for one in found if one.candidate is not None}


def broken(one: Candidate) -> Candidate:
    return replace(one, body=one.body + b"?", content=None)


def wrong(one: Candidate) -> Candidate:
    return replace(one, hash=b"\1" * 32)


def test_a_whole_chain_is_proved() -> None:
    rows = chain(5)
    assert list(prove([[one] for one in rows], START)) == [
        Proved(one.seq, one.hash, one) for one in rows
    ]


def test_a_damaged_body_costs_its_record_and_keeps_its_hash() -> None:
    rows = chain(5)
    found = list(prove([[rows[0]], [rows[1]], [broken(rows[2])], [rows[3]], [rows[4]]], START))
    assert found[2] == Proved(3, rows[2].hash, None, proved=False)
    assert kept(found) == {1: True, 2: True, 4: True, 5: True}


def test_a_damaged_hash_is_mended_by_the_next_record() -> None:
    rows = chain(5)
    found = list(prove([[rows[0]], [wrong(rows[1])], *[[one] for one in rows[2:]]], START))
    assert [(one.seq, one.hash) for one in found] == [(one.seq, one.hash) for one in rows]


def test_nothing_stands_behind_the_last_one() -> None:
    rows = chain(3)
    assert kept(list(prove([[rows[0]], [rows[1]], [wrong(rows[2])]], START))) == {1: True, 2: True}
    assert kept(list(prove([[rows[0]], [rows[1]], [broken(rows[2])]], START))) == {1: True, 2: True}


def test_behind_a_gap_the_first_body_is_believed_but_not_proved() -> None:
    rows = chain(6)
    found = list(prove([[one] for one in (rows[0], *rows[3:])], START))
    assert kept(found) == {1: True, 4: False, 5: True, 6: True}
    found = list(prove([[rows[0]], [broken(rows[3])], [rows[4]], [rows[5]]], START))
    assert kept(found) == {1: True, 5: True, 6: True}


def test_of_several_versions_the_sound_one_is_taken() -> None:
    rows = chain(3)
    versions = [[wrong(rows[0]), rows[0]], [broken(rows[1]), wrong(rows[1]), rows[1]], [rows[2]]]
    found = list(prove(versions, START))
    assert [(one.hash, one.candidate and one.candidate.body) for one in found] == [
        (one.hash, one.body) for one in rows
    ]


def test_a_chain_may_begin_behind_an_anchor() -> None:
    rows = chain(6)
    found = list(prove([[one] for one in rows[3:]], (3, rows[2].hash)))
    assert kept(found) == {4: True, 5: True, 6: True}


DAMAGE = st.sampled_from(["none", "body", "hash", "row"])


@given(st.lists(DAMAGE, min_size=1, max_size=14))
def test_what_is_proved_is_what_was_written(what: list[str]) -> None:
    rows = chain(len(what))
    make = {"none": lambda one: one, "body": broken, "hash": wrong}
    found = list(
        prove(
            [[make[how](one)] for how, one in zip(what, rows, strict=True) if how != "row"], START
        )
    )
    for one in found:
        assert one.hash == rows[one.seq - 1].hash
        if one.candidate is not None:
            assert one.candidate.body == rows[one.seq - 1].body


@given(st.integers(3, 12), st.data())
def test_one_damaged_row_costs_one_record_at_most(count: int, data: st.DataObject) -> None:
    rows, at = chain(count), data.draw(st.integers(0, count - 1))
    make = data.draw(st.sampled_from([broken, wrong]))
    found = prove([[make(one) if one.seq == at + 1 else one] for one in rows], START)
    assert set(range(1, count + 1)) - {at + 1} <= kept(list(found)).keys()
