"""What is said about the cuts: shares decided, and each defect type."""

from __future__ import annotations

import numpy as np
import pytest

from edge.decision.calibration import Targets
from edge.decision.evidence import Samples, TypeRow
from edge.decision.result import judge


def samples() -> Samples:
    good = [0.1] * 300 + [0.6] * 100
    defect = [0.5] * 30 + [0.9] * 370
    return Samples(
        scores=np.array(good + defect),
        defect=np.array([False] * 400 + [True] * 400),
        types=("scratch", "dent", "never seen"),
        type_of=np.array([-1] * 400 + [0] * 60 + [1] * 340, np.int32),
    )


def test_shares_decided_without_a_person() -> None:
    found = judge(samples(), Targets(0.01, 0.01), 0.1)
    assert (found.accept_below, found.reject_above) == (0.5, np.nextafter(0.6, 1))
    assert found.automation_good == 0.75
    assert found.automation_defect == 370 / 400
    assert found.at_prevalence == pytest.approx(0.9 * 0.75 + 0.1 * 370 / 400)
    assert judge(samples(), Targets(), None).at_prevalence is None


def test_a_row_for_each_defect_type() -> None:
    dent, scratch = judge(samples(), Targets(0.01, 0.01), None).types
    assert dent == TypeRow("dent", 340, 0, 0, 340, pytest.approx(1 - 0.025 ** (1 / 340)))
    assert scratch == TypeRow("scratch", 60, 0, 30, 30, pytest.approx(1 - 0.025 ** (1 / 60)))


def test_without_good_parts_there_is_no_share_of_them() -> None:
    only = Samples(np.full(300, 0.9), np.ones(300, np.bool_))
    found = judge(only, Targets(only="accept"), 0.1)
    assert (found.automation_good, found.at_prevalence, found.types) == (None, None, ())
