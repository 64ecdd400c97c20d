"""Splits: once and for ever, by part, each stratum in its shares."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.review.split import (
    SPLITS,
    Given,
    Part,
    Shares,
    counted,
    parse_shares,
    share_out,
)
from edge.review.splits import Splits

shares = st.tuples(st.integers(0, 100), st.integers(0, 100)).map(
    lambda two: Shares(min(two), max(two) - min(two), 100 - max(two))
)
strata = st.sampled_from(["good", "defect/scratch", "defect/dent"])
parts = st.dictionaries(st.text(max_size=8), strata, max_size=60)


def shared(new: dict[str, str], by: Shares, known: dict[str, Given] | None = None):
    """The splits of new parts beside known ones."""
    counts = counted((known or {}).values())
    return {
        part.key: Given(split, part.stratum)
        for part, split in share_out([Part(*one) for one in new.items()], by, counts)
    }


def assert_in_shares(given_: dict[str, Given], by: Shares) -> None:
    for counts in counted(given_.values()).values():
        total = sum(counts.values())
        for split in SPLITS:
            assert abs(counts[split] - by.of(split) * total) < 1


@given(parts, shares)
def test_each_stratum_is_within_one_part_of_its_shares(new: dict[str, str], by: Shares) -> None:
    assert_in_shares(shared(new, by), by)


@given(st.lists(parts, max_size=5), shares)
def test_it_stays_so_however_parts_come_over_the_years(years: list[dict[str, str]], by: Shares):
    known: dict[str, Given] = {}
    for year in years:
        new = {part: stratum for part, stratum in year.items() if part not in known}
        before = dict(known)
        known |= shared(new, by, known)
        assert {part: known[part] for part in before} == before
        assert_in_shares(known, by)


@given(parts, shares, st.randoms())
def test_the_order_in_which_they_come_changes_nothing(new, by: Shares, dice) -> None:
    turned = list(new.items())
    dice.shuffle(turned)
    assert shared(dict(turned), by) == shared(new, by)


def test_ten_thousand_parts() -> None:
    by = Shares()
    new = {f"R-{n}": "good" if n % 20 else f"defect/{n % 3}" for n in range(10_000)}
    assert_in_shares(shared(new, by), by)


def test_who_gets_no_share_gets_no_part() -> None:
    found = shared({f"R-{n}": "good" for n in range(50)}, Shares(100, 0, 0))
    assert {one.split for one in found.values()} == {"train"}


def test_shares_as_typed() -> None:
    assert parse_shares("70/15/15") == Shares()
    assert parse_shares(" 80/ 0/20") == Shares(80, 0, 20)
    assert str(Shares(80, 0, 20)) == "80/0/20"
    assert Shares().of("test") == Fraction(3, 20)


@pytest.mark.parametrize("text", ["70/15", "70/15/16", "0.7/0.15/0.15", "a/b/c", "", "-10/55/55"])
def test_shares_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="add up to 100"):
        parse_shares(text)


given_parts = st.dictionaries(
    st.text(max_size=6), st.builds(Given, st.sampled_from(SPLITS), strata), max_size=20
)


@settings(max_examples=30, deadline=None)
@given(st.lists(given_parts, min_size=1, max_size=4))
def test_what_was_given_once_is_given_for_ever(tmp_path_factory, rounds) -> None:
    folder: Path = tmp_path_factory.mktemp("splits")
    first: dict[str, Given] = {}
    for new in rounds:
        with Splits(folder) as splits:
            splits.give(new, {}, Shares(), "2026-11-20")
        for part, one in new.items():
            first.setdefault(part, one)
        with Splits(folder) as splits:
            found = splits.parts()
        assert {part: one.split for part, one in found.items()} == {
            part: one.split for part, one in first.items()
        }
        assert {part: found[part].stratum for part in new} == {
            part: one.stratum for part, one in new.items()
        }
