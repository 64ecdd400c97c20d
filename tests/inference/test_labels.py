from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.labels import LabelError, Meaning, distinct, numbered, read_labels, with_roles


@pytest.mark.parametrize(
    "text",
    [
        "dent\ngood\nstain\n",
        "dent\r\ngood\r\nstain\r\n\r\n",
        "\ufeffdent\ngood\nstain",
        "0 dent\n1 good\n2 stain\n",
        "0: dent\n1: good\n2: stain",
        "0,dent\n1,good\n2,stain",
        "1 dent\n2 good\n3 stain",
        "2 stain\n0 dent\n1 good",
        '["dent", "good", "stain"]',
        '{"0": "dent", "1": "good", "2": "stain"}',
        '{"good": 1, "stain": 2, "dent": 0}',
    ],
)
def test_the_same_labels_in_every_form_that_people_have(text):
    assert read_labels(text) == ["dent", "good", "stain"]


def test_a_number_that_is_part_of_the_name_stays():
    assert read_labels("3 holes\n5 holes\n7 holes") == ["3 holes", "5 holes", "7 holes"]
    assert read_labels("1 hole\ngood") == ["1 hole", "good"]


def test_gaps_in_the_index_are_kept():
    assert read_labels("0 person\n2 car\n") == ["person", "", "car"]
    assert distinct(["person", "", "car"]) == ["person", "class #1", "car"]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "[]", "{}", '{"a": "b"}', "[1,", '{"999999999": "a"}']
)
def test_what_holds_no_labels_is_said(text):
    with pytest.raises(LabelError):
        read_labels(text)


@given(st.lists(st.sampled_from(["crane", "", "???", "crane #1", "a"]), max_size=20))
def test_names_become_distinct_and_stay_as_many(names):
    found = distinct(names)
    assert len(found) == len(set(found)) == len(names)
    assert all(found)


@given(st.lists(st.text("abc ", min_size=1).map(str.strip).filter(bool), min_size=1))
def test_an_index_in_front_never_changes_the_names(names):
    indexed = "\n".join(f"{number} {name}" for number, name in enumerate(names))
    assert read_labels(indexed) == names


def roles(names, **spoken):
    labels, mark = with_roles(names, Meaning(**spoken))
    return [label.role for label in labels], mark


def test_well_known_names_are_guessed():
    assert roles(["background", "Dent", "OK"]) == (["other", "defect", "good"], "guessed")
    assert roles(["No Defect", "scratch"]) == (["good", "defect"], "guessed")


def test_what_is_said_counts_and_the_rest_are_defects():
    assert roles(["a", "b", "c"], good=["b"]) == (["defect", "good", "defect"], "given")
    assert roles(["a", "b", "c"], good=["0"], rest="other") == (["good", "other", "other"], "given")
    assert roles(["a", "b", "c"], defect=["A"], other=["c"], rest="good") == (
        ["defect", "good", "other"],
        "given",
    )


@pytest.mark.parametrize(
    ("spoken", "words"),
    [
        ({}, "which label means a good part"),
        ({"good": ["scrach"]}, "did you mean 'scratch'"),
        ({"good": ["7"]}, "no label '7'"),
        ({"good": ["fine"], "defect": ["fine"]}, "said to be good and defect"),
        ({"defect": ["scratch"]}, "nothing is said of 'fine'"),
    ],
)
def test_what_cannot_be_is_said(spoken, words):
    with pytest.raises(LabelError, match=words):
        roles(["fine", "scratch"], **spoken)


def test_all_good_is_no_guess():
    with pytest.raises(LabelError, match="which label"):
        roles(["good", "ok"])


def test_models_without_labels_have_numbers():
    assert numbered(2) == ["class 0", "class 1"]
