"""`edge-inspect calibrate`: cuts whose error bounds hold, from known parts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.options import BY_HELP, ConfigOption, JsonOption


class Only(str, Enum):
    """The one cut that is wanted."""

    accept = "accept"
    reject = "reject"


Dataset = Annotated[
    Path | None,
    typer.Argument(help="Folder with good/… and defect/TYPE/…", show_default=False),
]
Scores = Annotated[
    Path | None,
    typer.Option("--scores", metavar="FILE.csv", help="score,label and, if wanted, type,part."),
]
Recorded = Annotated[
    bool, typer.Option("--recorded", help="Persons' verdicts on parts drawn whatever their score.")
]
MaxEscape = Annotated[
    float | None,
    typer.Option("--max-escape", help="Share of defects that may be accepted.  [decision.…]"),
]
MaxOverkill = Annotated[
    float | None,
    typer.Option("--max-overkill", help="Share of good parts that may be rejected.  [decision.…]"),
]
Confidence = Annotated[
    float | None, typer.Option("--confidence", help="How sure both must hold.  [decision.…]")
]
OnlyOption = Annotated[
    Only | None, typer.Option("--only", help="One cut, with all of the confidence for it.")
]
Prevalence = Annotated[
    float | None, typer.Option("--prevalence", min=0, max=1, help="Share of defects on the line.")
]
Rate = Annotated[
    float | None,
    typer.Option("--rate", min=0, help="Parts/h of the line. Default: as recorded."),
]
Capacity = Annotated[
    float | None,
    typer.Option(
        "--capacity",
        min=0,
        help="Answers/h that persons can give: find the tightest escape bound that fits.",
    ),
]
Apply = Annotated[bool, typer.Option("--apply", help="Put it in force at once (with --by).")]
By = Annotated[str | None, typer.Option("--by", help=BY_HELP)]
Reason = Annotated[str | None, typer.Option("--reason", help="Why, in words; it is recorded.")]
AsIs = Annotated[
    bool, typer.Option("--as-is", help="Take pictures of any size; then nothing is certified.")
]
NotTrained = Annotated[
    bool,
    typer.Option(
        "--not-trained-on-these", help="You know that the model did not learn from these."
    ),
]
Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.html", help="Write the report to sign.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say it, keep and apply nothing.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed."""

    dataset: Path | None
    scores: Path | None
    recorded: bool
    max_escape: float | None
    max_overkill: float | None
    confidence: float | None
    only: Only | None
    prevalence: float | None
    rate: float | None
    capacity: float | None
    apply: bool
    by: str | None
    reason: str | None
    as_is: bool
    not_trained: bool
    report: Path | None
    json: bool
    dry_run: bool


def calibrate(
    dataset: Dataset = None,
    scores: Scores = None,
    recorded: Recorded = False,
    max_escape: MaxEscape = None,
    max_overkill: MaxOverkill = None,
    confidence: Confidence = None,
    only: OnlyOption = None,
    prevalence: Prevalence = None,
    rate: Rate = None,
    capacity: Capacity = None,
    apply: Apply = False,
    by: By = None,
    reason: Reason = None,
    as_is: AsIs = False,
    not_trained_on_these: NotTrained = False,
    report: Report = None,
    config: ConfigOption = None,
    json: JsonOption = False,
    dry_run: DryRun = False,
) -> None:
    """Find the cuts that hold the errors that you can bear, or say how many parts are missing.

    The rule is exact and holds for any distribution of scores. Exits 4 where the data do not
    suffice, with the tightest bound that they certify and how many more parts are needed.
    """
    asked = Asked(
        dataset, scores, recorded, max_escape, max_overkill, confidence, only, prevalence, rate,
        capacity, apply, by, reason, as_is, not_trained_on_these, report, json, dry_run,
    )  # fmt: skip
    _refuse_nonsense(asked)
    from edge.cli.calibrating import run

    run(asked, config)


def _refuse_nonsense(asked: Asked) -> None:
    from edge.cli.errors import USAGE, fail

    sources = (asked.dataset is not None) + (asked.scores is not None) + asked.recorded
    if sources != 1:
        fail("name one source: DATASET, --scores FILE.csv or --recorded", code=USAGE)
    if asked.apply and not asked.by:
        fail("--apply needs --by", "say who decides it: --by NAME", USAGE)
    if asked.capacity is not None:
        if asked.max_escape is not None or asked.only is Only.reject:
            fail(
                "--capacity looks for the escape bound: without --max-escape, --only reject",
                code=USAGE,
            )
        if asked.prevalence is None:
            fail("--capacity needs --prevalence, the share of defects on the line", code=USAGE)
    if asked.as_is and asked.dataset is None:
        fail("--as-is goes with a DATASET", code=USAGE)
