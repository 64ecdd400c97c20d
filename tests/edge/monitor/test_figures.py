"""Figures against their definitions, computed here the slow and obvious way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.decision.band import upper_band
from edge.decision.policy import decide
from edge.monitor.auroc import auroc
from edge.monitor.confusion import Answers, Confusion, confusion, counted
from edge.monitor.curve import accept_curve, reject_curve
from edge.monitor.expected import expected
from edge.monitor.figures import figures
from edge.monitor.histogram import histogram
from edge.monitor.share import interval
from edge.records import Cuts

LEVELS = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5000001, 0.9, 1.0])
PARTS = st.lists(st.tuples(LEVELS, st.booleans()), max_size=60)
CUTS = st.tuples(LEVELS, LEVELS).map(sorted)


def columns(parts: list[tuple[float, bool]]) -> tuple[NDArray[Any], NDArray[Any]]:
    scores = np.array([score for score, _ in parts], dtype=np.float64)
    return scores, np.array([truth for _, truth in parts], dtype=np.bool_)


@given(PARTS, CUTS)
def test_confusion_counts_what_the_policy_decides(
    parts: list[tuple[float, bool]], cuts: list[float]
) -> None:
    made = ((truth, decide(score, Cuts(*cuts), "partial").decision) for score, truth in parts)
    assert confusion(*columns(parts), *cuts) == counted(made)


EXAMPLE = Confusion(Answers(900, 90, 10), Answers(2, 18, 80))


def test_precision_recall_and_f1_are_of_the_decided_parts() -> None:
    assert EXAMPLE.precision().value == 80 / 90
    assert EXAMPLE.recall().value == 80 / 82
    found = EXAMPLE.f1()
    assert found.value == pytest.approx(2 * 80 / (2 * 80 + 10 + 2))
    low, high = interval(80, 92, 0.95)
    assert found.low == pytest.approx(2 * low / (1 + low))
    assert found.high == pytest.approx(2 * high / (1 + high))
    assert EXAMPLE.escapes().count == 2
    assert EXAMPLE.escapes().n == 100
    assert EXAMPLE.overkill().value == 0.01
    assert EXAMPLE.escalated().value == 108 / 1100
    assert EXAMPLE.wrong == 12


def test_of_nothing_there_is_no_figure() -> None:
    empty = Confusion(Answers(), Answers())
    assert empty.precision().value is None
    assert empty.f1().value is None
    assert (empty.f1().low, empty.f1().high) == (0.0, 1.0)
    assert expected(empty, 1, 1, 0.1) is None


@given(st.lists(LEVELS, min_size=1, max_size=30), st.lists(LEVELS, min_size=1, max_size=30))
def test_auroc_is_the_share_of_pairs_in_order(good: list[float], defect: list[float]) -> None:
    found = auroc(np.array(good), np.array(defect))
    assert found is not None
    pairs = [(b > g) + (b == g) / 2 for b in defect for g in good]
    assert found.value == pytest.approx(sum(pairs) / len(pairs))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_the_variance_of_delong_is_the_one_of_his_paper() -> None:
    """The structural components computed one by one, as in the paper."""
    random = np.random.default_rng(3)
    good, defect = random.normal(0, 1, 40), random.normal(1, 1, 30)
    order = (defect[:, None] > good[None, :]) + 0.5 * (defect[:, None] == good[None, :])
    area = order.mean()
    variance = order.mean(1).var(ddof=1) / 30 + order.mean(0).var(ddof=1) / 40
    reach = 1.959964 * math.sqrt(variance) / (area * (1 - area))
    found = auroc(good, defect)
    assert found is not None
    logit = math.log(area / (1 - area))
    assert found.low == pytest.approx(1 / (1 + math.exp(reach - logit)), abs=1e-6)
    assert found.high == pytest.approx(1 / (1 + math.exp(-reach - logit)), abs=1e-6)


def test_the_interval_of_delong_covers_the_truth() -> None:
    random = np.random.default_rng(4)
    truth, covered = 0.5 * (1 + math.erf(1.5 / 2)), 0
    for _ in range(600):
        found = auroc(random.normal(0, 1, 60), random.normal(1.5, 1, 50))
        assert found is not None
        covered += found.low <= truth <= found.high
    assert covered >= 552  # 0.1 % quantile of binomial(600, 0.95) less half a per cent


def test_complete_separation_is_not_certainty() -> None:
    found = auroc(np.zeros(50), np.ones(10))
    assert found is not None
    assert (found.value, found.high, found.exact) == (1.0, 1.0, True)
    assert found.low == pytest.approx(0.025 ** (1 / 10))
    assert auroc(np.zeros(3), np.zeros(0)) is None


@settings(deadline=None)
@given(
    st.lists(LEVELS, min_size=1, max_size=40),
    st.lists(LEVELS, min_size=1, max_size=40),
    LEVELS,
)
def test_every_cut_lies_on_its_curve_or_is_beaten_by_it(
    good: list[float], defect: list[float], cut: float
) -> None:
    """For any cut there is a point with no less coverage and no more risk, and its bound holds."""
    g, d = np.array(good), np.array(defect)
    for curve, covered, risk, n in (
        (accept_curve(g, d, 0.1), np.mean(g < cut), np.sum(d < cut), len(d)),
        (reject_curve(g, d, 0.1), np.mean(d >= cut), np.sum(g >= cut), len(g)),
    ):
        as_good = (curve.coverage >= covered) & (curve.risk <= risk / n)
        assert as_good.any()
        assert (np.diff(curve.coverage) >= 0).all()
        assert (curve.bound[1:] >= curve.risk[1:]).all()
        band = upper_band(n, 0.1)
        assert curve.bound[1:].tolist() == [band.at(round(r * n)) for r in curve.risk[1:]]


def test_the_curve_goes_from_nothing_to_everything() -> None:
    curve = accept_curve(np.array([0.1, 0.2, 0.6]), np.array([0.5, 0.7]), 0.05)
    assert curve.coverage.tolist() == pytest.approx([0, 2 / 3, 1])
    assert curve.risk.tolist() == [0, 0, 0.5]


def test_expected_figures_by_hand() -> None:
    found = expected(EXAMPLE, 0.06, 0.02, prevalence=0.01, rate_per_hour=1000)
    assert found is not None
    assert found.escalated == pytest.approx(0.99 * 0.09 + 0.01 * 0.18)
    assert found.escalations_per_hour == pytest.approx(90.9)
    assert found.escapes_per_million == pytest.approx(200)
    assert found.escapes_per_million_at_most == pytest.approx(600)
    assert found.overkill_per_million == pytest.approx(9900)
    assert found.overkill_per_million_at_most == pytest.approx(19800)
    assert found.slip_per_million == pytest.approx(1e6 * 0.0002 / (0.0002 + 0.99 * 0.9))
    assert found.slip_per_million_at_most == pytest.approx(1e6 * 0.0006 / (0.0006 + 0.99 * 0.9))


def test_slip_is_unknown_where_nothing_is_accepted() -> None:
    none = expected(Confusion(Answers(0, 9, 1), Answers(0, 5, 5)), 0, 0.1, 0.01)
    assert none is not None
    assert none.slip_per_million is None
    assert none.escalations_per_hour is None


def test_a_histogram_counts_every_part_once() -> None:
    found = histogram(np.array([0.0, 0.05, 0.5, 1.0]), np.array([False, False, True, True]), 10)
    assert found.good == (2, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert found.defect == (0, 0, 0, 0, 0, 1, 0, 0, 0, 1)
    assert found.edges[0] == 0
    assert found.edges[-1] == 1


def test_all_figures_of_no_parts_and_of_a_million() -> None:
    nothing = figures(np.empty(0), np.empty(0, np.bool_), None)
    assert nothing.auroc is None
    assert nothing.confusion is None
    random = np.random.default_rng(5)
    defect = random.random(1_000_000) < 0.3
    scores = np.clip(random.normal(0.3 + 0.4 * defect, 0.15), 0, 1)
    found = figures(scores, defect, (0.2, 0.8))
    assert found.confusion is not None
    assert found.confusion.good.n + found.confusion.defect.n == 1_000_000
