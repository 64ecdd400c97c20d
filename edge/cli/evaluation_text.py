"""An evaluation in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from edge.telling import plain

if TYPE_CHECKING:
    from edge.evaluating.evaluation import Evaluation
    from edge.monitor.auroc import Auroc
    from edge.monitor.confusion import F1, Answers
    from edge.monitor.share import Share

MOST = 20
WIDTH = 30


def lines(found: Evaluation) -> Iterator[str]:
    """The figures, then the slices that are worth a look first."""
    sure, made, judging = found.confidence, found.confusion, found.judging
    yield f"{found.n_good:,} good parts, {found.n_defect:,} defects: {plain(found.source)}"
    word = "certified" if judging.certified else "not certified"
    yield (
        f"accept below {judging.accept_below:g}, reject from {judging.reject_above:g} "
        f"({judging.origin if not judging.certified else f'{judging.origin}, {word}'})"
    )
    yield ""
    yield f"{'':<14}{'accepted':>10}{'asked':>10}{'rejected':>10}{'all':>10}"
    for name, row in (("good parts", made.good), ("defects", made.defect)):
        yield _row(name, row)
    yield ""
    yield f"escape rate          {_share(made.escapes(sure))}  of the defects are accepted"
    yield f"overkill rate        {_share(made.overkill(sure))}  of the good parts are rejected"
    yield f"asked of persons     {_share(made.escalated(sure))}  of these parts"
    yield f"precision, decided   {_ratio(made.precision(sure))}"
    yield f"recall, decided      {_ratio(made.recall(sure))}"
    yield f"F1, decided          {_ratio(made.f1(sure))}"
    yield f"AUROC                {_ratio(found.auroc)}"
    yield f"(intervals: {100 * sure:g} %, each for itself; decided: without the parts asked about)"
    yield from _slices(found)
    for note in found.notes:
        yield f"note: {note}"
    for out in found.left_out:
        yield f"left out: {out.count:,} {out.why}"


def _slices(found: Evaluation) -> Iterator[str]:
    if not found.slices:
        return
    yield ""
    heading = f"{'what to work on next':<{WIDTH}}{'parts':>8}{'of data':>9}{'wrong':>7}"
    yield heading + f"{'of wrong':>10}{'asked':>8}{'of asked':>10}  AUROC"
    for one in found.slices[:MOST]:
        name = plain(f"{one.tag}: {one.value}")
        name = name if len(name) < WIDTH else f"{name[: WIDTH - 2]}…"
        asked = one.confusion.good.escalate + one.confusion.defect.escalate
        area = "–" if one.auroc is None else f"{one.auroc.value:.4f}"
        yield (
            f"{name:<{WIDTH}}{one.n:>8,}{_of(one.data_share):>9}{one.confusion.wrong:>7,}"
            f"{_of(one.wrong_share):>10}{asked:>8,}{_of(one.asked_share):>10}  {area}"
        )
    if len(found.slices) > MOST:
        yield f"… {len(found.slices) - MOST} more with --json or --report"
    yield "(a defect type's shares are of all defects; small slices look bad by chance)"
    yield ""


def _row(name: str, row: Answers) -> str:
    return f"{name:<14}{row.accept:>10,}{row.escalate:>10,}{row.reject:>10,}{row.n:>10,}"


def _of(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _share(found: Share) -> str:
    if found.value is None:
        return f"{'–':>7}"
    return f"{100 * found.value:6.2f} %  ({100 * found.low:.2f} to {100 * found.high:.2f} %)"


def _ratio(found: Share | Auroc | F1 | None) -> str:
    if found is None or found.value is None:
        return "–"
    return f"{found.value:.4f}  ({found.low:.4f} to {found.high:.4f})"
