"""Two models on the same parts as one HTML file that prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.records import Decision
from edge.report.interval_chart import Row, interval_chart
from edge.report.numbers import asked, percent, short
from edge.report.pages import render, svg, write_page
from edge.report.pictures import thumbnail
from edge.rollout.comparison import DECISIONS, Change, Part, differing
from edge.rollout.pair import Answer

if TYPE_CHECKING:
    from edge.rollout.comparing import Compared

MOST = 24
WORDS: Mapping[Decision, str] = {
    "accept": "accepted",
    "escalate": "asked of a person",
    "reject": "rejected",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A part on which they differ, with a small picture or why there is none."""

    name: str
    first: str
    second: str
    truth: str
    mistaken: bool
    data: str | None
    missing: str


def write(path: Path, found: Compared) -> None:
    """Write the report, whole or not at all. Raises OSError where `path` cannot be written.

    A picture that cannot be read is said in its place; it does not fail the report.
    """
    write_page(path, page(found))


def page(found: Compared) -> str:
    """The report as HTML."""
    parts = differing(found.parts)
    title = f"{found.first} and {found.second}"
    return render(
        "comparison.html",
        {
            "title": f"Comparison · {title}",
            "foot": f"Comparison · {title} · {found.source}",
            "e": found,
            "f": found.figures,
            "verdict": verdict(found),
            "decisions": DECISIONS,
            "words": WORDS,
            "signed": signed,
            "chart": svg(interval_chart(_rows(found), "more of the parts with the second model")),
            "shown": [_shown(part) for part in parts[:MOST]],
            "more": max(0, len(parts) - MOST),
            "differ": len(parts),
        },
    )


def verdict(found: Compared) -> tuple[str, list[str]]:
    """A word and sentences that say what the figures do and do not show."""
    figures, told = found.figures, []
    word = "What the same parts show"
    if found.broken is not None:
        word = "The second has to go"
        told.append(f"{found.broken}.")
    if not figures.compared:
        return word, [*told, "On no part both had cuts, so decisions cannot be compared."]
    told.append(_permissive(found))
    truths = figures.truths
    if truths is None:
        told.append("No part has a known truth: who is right where they differ nobody has said.")
    elif truths.p < 1 - figures.confidence:
        better = "second" if truths.only_second_wrong < truths.only_first_wrong else "first"
        told.append(f"Where the truth is known the {better} is wrong less often than the other.")
    else:
        told.append("Where the truth is known neither is shown to be wrong more often.")
    return word, told


def _permissive(found: Compared) -> str:
    share = found.figures.permissive
    return (
        f"Of {share.n:,} parts {share.count:,} are accepted by the second alone:"
        f" {percent(share.value)}, and with {asked(found.figures.confidence)} confidence between"
        f" {percent(share.low)} and {percent(share.high)}."
    )


def signed(share: float | None) -> str:
    """A difference of shares, with its sign."""
    if share is None or share == 0:
        return percent(share)
    return f"{'+' if share > 0 else '−'}{percent(abs(share))}"


def _rows(found: Compared) -> list[Row]:
    figures = found.figures
    return [
        _row("asked of persons", figures.escalated),
        _row("rejected", figures.rejected),
        Row(
            "accepted by it alone",
            figures.permissive.value,
            figures.permissive.low,
            figures.permissive.high,
        ),
    ]


def _row(words: str, change: Change) -> Row:
    return Row(words, change.difference, change.low, change.high)


def _shown(part: Part) -> Shown:
    data, missing = None, "its picture was not kept"
    if part.picture is not None:
        data, missing = thumbnail(part.picture)
    truth = "" if part.defect is None else "defect" if part.defect else "good"
    wrong = {"defect": "accept", "good": "reject"}.get(truth)
    return Shown(
        part.name.encode(errors="replace").decode(),
        _said(part.first),
        _said(part.second),
        truth,
        wrong is not None and part.second.would_be == wrong,
        data,
        missing,
    )


def _said(answer: Answer) -> str:
    decided = "no cuts" if answer.would_be is None else WORDS[answer.would_be]
    return f"{decided} ({answer.fault if answer.score is None else short(answer.score)})"
