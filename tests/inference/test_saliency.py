"""The map points to where the model looks, which is known here, whatever kind of model it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.interpreter import Interpreter
from inference.postprocess import Postprocessor
from inference.preprocess import Preprocessor
from inference.saliency import FLOOR, Occlusion, Saliency, Window, seen_by
from inference.spec import InputSpec, ModelSpec
from tests.simulators.regional import HEIGHT, WIDTH, model, picture, spec

TIMES = 5
NEAR = 2 * TIMES
"""Two pixels of the input: less than half of a finest patch."""


class Seeing:
    """A model that is asked in this process."""

    def __init__(self, made: ModelSpec, dark, bright=()) -> None:
        self.spec = made
        self._interpreter = Interpreter(model(made, dark, bright))
        self._preprocess = Preprocessor(made.input)
        self._postprocess = Postprocessor(made.output)

    def score(self, image: np.ndarray) -> float:
        return self._postprocess(self._interpreter.run(self._preprocess(image))).score


def looked(seeing: Seeing, image: np.ndarray, most: int | None = None) -> Saliency:
    work = Occlusion(image, seeing.score(image), seen_by(image.shape, seeing.spec.input))
    while (covered := work.next()) is not None:
        work.tell(seeing.score(covered))
        if most is not None and (most := most - 1) <= 0:
            break
    assert work.usable
    return work.map()


def peak(values: np.ndarray) -> tuple[float, float]:
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    return float(column), float(row)


def assert_near(values: np.ndarray, place: tuple[int, int]) -> None:
    x, y = peak(values)
    assert np.hypot(x - (place[0] + 0.5) * TIMES, y - (place[1] + 0.5) * TIMES) <= NEAR


@pytest.mark.parametrize("place", [(4, 4), (40, 30), (24, 18), (11, 27)])
@pytest.mark.parametrize(
    "made",
    [
        spec(),
        spec(dtype="uint8"),
        spec(dtype="int8"),
        spec("sigmoid"),
        spec("sigmoids"),
        spec("sigmoid", "int8"),
        spec(colour="grey"),
        spec(dtype="int8", colour="grey"),
    ],
    ids=lambda made: f"{made.output.kind}-{made.input.dtype}-{made.input.colour}",
)
def test_the_peak_is_at_the_mark_that_the_score_depends_on(made: ModelSpec, place) -> None:
    other = (WIDTH - 1 - place[0] // 2, HEIGHT - 1 - place[1] // 2)
    found = looked(Seeing(made, [place]), picture([place, other]))
    assert_near(found.values, place)
    assert found.values.max() == pytest.approx(1.0, abs=0.05)
    assert found.lowered > 0.1
    assert found.covered == found.of


def test_a_grey_picture_will_do() -> None:
    place = (30, 10)
    assert_near(looked(Seeing(spec(), [place]), picture([place], grey=True)).values, place)


def test_what_speaks_for_good_is_negative() -> None:
    dark, bright = (10, 8), (36, 26)
    found = looked(Seeing(spec(), [dark], [bright]), picture([dark], [bright]))
    assert_near(found.values, dark)
    assert_near(-found.values, bright)
    assert found.raised > 0.1


@pytest.mark.parametrize("most", [13, 80, 150, 250])
def test_a_stop_at_any_time_leaves_a_map_and_a_later_one_a_better_map(most: int) -> None:
    place = (14, 25)
    found = looked(Seeing(spec(), [place]), picture([place]), 12 * 2 if most < 24 else most)
    x, y = peak(found.values)
    away = np.hypot(x - (place[0] + 0.5) * TIMES, y - (place[1] + 0.5) * TIMES)
    assert away <= (HEIGHT * TIMES / 4 if most < 80 else 3 * TIMES)


def test_finer_patches_begin_where_coarser_ones_found_most() -> None:
    place = (40, 30)
    seeing, image = Seeing(spec(), [place]), picture([place])
    work = Occlusion(image, seeing.score(image), seen_by(image.shape, seeing.spec.input))
    while not work.usable:
        covered = work.next()
        assert covered is not None
        work.tell(seeing.score(covered))
    covered = work.next()
    assert covered is not None
    rows, columns = np.nonzero((covered != image).any(axis=2))
    assert abs(columns.mean() - 40.5 * TIMES) < WIDTH * TIMES / 8
    assert abs(rows.mean() - 30.5 * TIMES) < HEIGHT * TIMES / 8


def test_what_the_crop_cuts_away_is_not_looked_at() -> None:
    made = spec(fit="crop")
    image = np.concatenate([picture(), picture([(20, 20)]), picture()], axis=1)
    seen = seen_by(image.shape, made.input)
    assert seen == Window(WIDTH * TIMES, 0, WIDTH * TIMES, HEIGHT * TIMES)
    found = looked(Seeing(made, [(20, 20)]), image)
    assert not found.values[:, : seen.left].any()
    assert not found.values[:, seen.left + seen.width :].any()
    assert_near(found.values[:, seen.left : seen.left + seen.width], (20, 20))


@settings(deadline=None)
@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 600), st.integers(1, 600))
def test_the_window_is_what_the_preprocessor_cuts_out(w: int, h: int, into_w: int, into_h: int):
    from inference.preprocess import _middle

    made = spec(fit="crop").input
    wanted = InputSpec(into_h, into_w, 3, made.dtype, "rgb", made.scaling, fit="crop")
    window = seen_by((h, w, 3), wanted)
    numbered = np.arange(w, dtype=np.int64)[None, :] + np.zeros((h, 1), np.int64)
    cut = _middle(numbered, into_w, into_h)
    assert cut.shape == (window.height, window.width)
    assert cut[0, 0] == window.left


def test_nothing_stands_out_where_nothing_moves_the_score() -> None:
    found = looked(Seeing(spec(), [(10, 10)]), picture())
    assert not found.values.any()
    assert found.lowered < FLOOR


def test_the_picture_is_as_before_and_each_patch_covers_a_part_only() -> None:
    image = picture([(10, 10), (30, 20)])
    before = image.copy()
    work = Occlusion(image, 0.5, Window(0, 0, image.shape[1], image.shape[0]))
    whole = np.zeros(image.shape[:2], bool)
    while (covered := work.next()) is not None:
        changed = (covered != before).any(axis=2)
        whole |= changed
        assert changed.mean() < 0.3
        work.tell(0.5)
    assert (image == before).all()
    # Flat ground stays what it is when it is covered by its own median; marks do not.
    assert whole[10 * TIMES + 2, 10 * TIMES + 2]


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (7, 5), (30, 500, 3), (16, 16, 3)])
def test_pictures_of_any_shape(shape) -> None:
    image = np.random.default_rng(1).integers(0, 255, shape).astype(np.uint8)
    work = Occlusion(image, 0.5, Window(0, 0, shape[1], shape[0]))
    while (covered := work.next()) is not None:
        assert covered.shape == shape
        work.tell(0.5 - float(covered.mean()) / 1000)
    assert work.map().values.shape == shape[:2]
    assert np.isfinite(work.map().values).all()
    assert np.abs(work.map().values).max() <= 1.0
