"""The drawn parts: the same numbers, the same pixels; the truth as often as promised."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera.simulated.options import DEFECT_TYPES, SyntheticOptions
from camera.simulated.parts import draw, render, spot
from camera.simulated.plan import plan

SMALL = SyntheticOptions(width=160, height=120)


def mean(number: int, options: SyntheticOptions) -> float:
    return float(draw(3, number, options)[0].mean())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**40), st.lists(st.integers(1, 2**32 - 1), min_size=2, max_size=4))
def test_a_part_looks_the_same_whatever_was_drawn_before(seed: int, numbers: list[int]) -> None:
    forwards = {number: draw(seed, number, SMALL) for number in numbers}
    for number in reversed(numbers):
        image, truth = draw(seed, number, SMALL)
        assert truth == forwards[number][1]
        assert np.array_equal(image, forwards[number][0])


@pytest.mark.parametrize(("width", "height"), [(640, 480), (320, 480), (97, 64), (1280, 960)])
def test_size_and_type(width: int, height: int) -> None:
    image, _ = draw(1, 1, SyntheticOptions(width=width, height=height, defect_rate=1.0))
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8


def test_the_picture_belongs_to_the_caller() -> None:
    first, _ = draw(1, 1, SMALL)
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(draw(1, 1, SMALL)[0], kept)


def test_seeds_share_no_part() -> None:
    parts = [plan(seed, number, SMALL) for seed in (1, 2, 101, 2**32) for number in range(1, 500)]
    assert len({(part.rotation, part.shift, part.gain) for part in parts}) == len(parts)


def test_size_light_and_condition_do_not_change_which_part_it_is() -> None:
    usual = plan(1, 6, replace(SMALL, defect_rate=0.5))
    other = plan(1, 6, SyntheticOptions(defect_rate=0.5, width=999, brightness=2, black_every=2))
    assert other.condition == "black"
    same = replace(usual, gain=usual.gain * 2, condition="black")
    assert other == same


def test_defect_rate_and_types_are_as_often_as_promised() -> None:
    options = replace(SMALL, defect_rate=0.2, defect_weights={"scratch": 3, "stain": 1})
    truths = Counter(plan(5, number, options).truth for number in range(1, 5001))
    assert set(truths) == {"good", "defect/scratch", "defect/stain"}
    # five standard deviations of the binomial distribution
    assert truths["good"] == pytest.approx(4000, abs=5 * (5000 * 0.2 * 0.8) ** 0.5)
    assert truths["defect/stain"] == pytest.approx(250, abs=5 * (5000 * 0.05 * 0.95) ** 0.5)


def test_the_default_rate_is_one_in_twenty() -> None:
    defects = sum(plan(1, number, SMALL).defect is not None for number in range(1, 10001))
    assert defects == pytest.approx(500, abs=5 * (10000 * 0.05 * 0.95) ** 0.5)


@pytest.mark.parametrize("kind", DEFECT_TYPES)
def test_a_defect_changes_the_picture_and_a_severe_one_more(kind: str) -> None:
    """Each defect is taken off its own part, so that nothing but the defect differs."""

    def change(severity: float) -> float:
        options = SyntheticOptions(
            defect_rate=1, defect_weights={kind: 1}, severity=(severity, severity)
        )
        total = 0.0
        for number in range(1, 9):
            part = plan(1, number, options)
            assert len(part.flaws) in (1, 2)
            without = replace(part, flaws=())
            total += np.abs(render(part, 640, 480).astype(int) - render(without, 640, 480)).sum()
        return total

    faint, clear = change(0.0), change(1.0)
    assert faint > 0
    assert clear > 2 * faint


def test_a_flaw_is_where_it_is_said_to_be() -> None:
    options = SyntheticOptions(defect_rate=1, defect_weights={"stain": 1}, severity=(1, 1))
    for number in range(1, 9):
        part = plan(2, number, options)
        clean = render(replace(part, flaws=()), 640, 480).astype(int)
        rows, columns, _ = np.nonzero(np.abs(clean - render(part, 640, 480)) > 20)
        x, y = spot(part, part.flaws[0], 640, 480)
        assert (columns.mean(), rows.mean()) == pytest.approx((x, y), abs=4)


def test_conditions_come_every_nth_part() -> None:
    options = replace(SMALL, empty_every=2, black_every=3, blown_out_every=5)
    assert [plan(1, number, options).condition for number in range(1, 11)] == [
        "part", "empty", "black", "empty", "blown_out", "empty", "part", "empty", "black", "empty",
    ]  # fmt: skip
    assert draw(1, 2, options)[1] is None
    assert draw(1, 3, options)[1] in {"good", "defect"} | {
        f"defect/{kind}" for kind in DEFECT_TYPES
    }
    assert mean(3, options) < 5
    assert mean(5, options) > 230
    assert 30 < mean(2, options) < mean(1, options) < 200


def test_an_empty_fixture_has_no_ring() -> None:
    empty, _ = draw(1, 1, SyntheticOptions(empty_every=1))
    part, _ = draw(1, 1, SyntheticOptions())
    assert empty[140:340, 180:200].mean() < 60 < 100 < part[140:340, 180:200].mean()


def test_brightness_and_drift() -> None:
    assert mean(1, replace(SMALL, brightness=0.5)) == pytest.approx(mean(1, SMALL) / 2, rel=0.02)
    darker = replace(SMALL, drift=-0.1)
    assert mean(2000, darker) == pytest.approx(mean(2000, SMALL) * 0.8, rel=0.02)
    # never wholly black by drift
    assert mean(10**6, darker) > mean(10**6, replace(SMALL, black_every=1)) + 1


@pytest.mark.parametrize("number", [-1, 2**32])
def test_numbers_outside_the_line_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="part number"):
        draw(1, number, SMALL)
