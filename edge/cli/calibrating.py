"""What `edge-inspect calibrate` does, and how it says it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edge.asking import ask_line
from edge.calibrating.gathered import Gathered, Unusable
from edge.calibrating.making import About, Wishes, as_json, hours_needed, make
from edge.calibrating.station import Station
from edge.calibrating.table import read_table
from edge.cli.errors import CHECK_FAILED, FAILED, USAGE, fail, say
from edge.cli.progress import progress
from edge.clock import Clock
from edge.config_file import ConfigError, find, load
from edge.decision.calibration import Bound, Targets
from edge.decision.capacity import Load
from edge.decision.evidence import Evidence, Training
from edge.records import utc
from edge.rollout.pinning import pin
from edge.store.owner import become_owner

if TYPE_CHECKING:
    from edge.cli.calibrate import Asked
    from edge.config import Config


def run(asked: Asked, config: Path | None) -> None:
    """The whole command. Ends it with exit 2 where the data or the wishes make no sense, with 4
    where they do not suffice."""
    try:
        station = _station(asked, config)
        targets = _targets(asked, station)
        gathered = _gather(asked, station)
        evidence = _evidence(asked, station, targets, gathered)
    except Unusable as problem:
        fail(str(problem), problem.hint, USAGE)
    if asked.report is not None:
        _report(asked.report, evidence)
    if asked.json:
        typer.echo(json.dumps(as_json(evidence)))
    else:
        for line in in_words(evidence):
            typer.echo(line)
    _end(asked, station, evidence, gathered)


def _station(asked: Asked, config: Path | None) -> Station | None:
    """The station; a table of scores can be looked at without one."""
    try:
        find(config)
    except ConfigError:
        if asked.scores is None or asked.apply:
            raise
        return None
    return Station.of(load(config))


def _targets(asked: Asked, station: Station | None) -> Targets:
    """As typed, else as configured."""
    known = Targets() if station is None else _configured(station.config)
    try:
        return Targets(
            known.max_escape if asked.max_escape is None else asked.max_escape,
            known.max_overkill if asked.max_overkill is None else asked.max_overkill,
            known.confidence if asked.confidence is None else asked.confidence,
            None if asked.only is None else asked.only.value,
        )
    except ValueError as error:
        raise Unusable(str(error)) from error


def _configured(config: Config) -> Targets:
    decision = config.decision
    return Targets(decision.max_escape, decision.max_overkill, decision.confidence)


def _gather(asked: Asked, station: Station | None) -> Gathered:
    if asked.scores is not None:
        return read_table(asked.scores)
    assert station is not None
    station.must_be_said(asked.not_trained)
    if asked.dataset is not None:
        with progress("pictures scored") as tell:
            return station.pictures(asked.dataset, asked.as_is, tell)
    become_owner(station.config.state_dir)
    with progress("verdicts read") as tell:
        return station.recorded(tell)


def _evidence(
    asked: Asked, station: Station | None, targets: Targets, gathered: Gathered
) -> Evidence:
    """What follows from the parts; counted and kept, unless it is a dry run."""
    clock = Clock()
    if station is None:
        said: Training = "said" if asked.not_trained else "unsaid"
        about = About(clock.new_id(), utc(clock.wall()), "")
        load = _load(asked, asked.rate)
        wishes = Wishes(targets, asked.prevalence, asked.rate, asked.by, asked.reason, said, load)
        return make(gathered, about, wishes, 0)
    become_owner(station.config.state_dir)
    about = station.about(clock)
    rate = station.rate_per_hour() if asked.rate is None else asked.rate
    wishes = Wishes(
        targets,
        asked.prevalence,
        rate,
        asked.by,
        asked.reason,
        station.training(asked.not_trained, gathered),
        _load(asked, rate),
    )
    evidence = make(gathered, about, wishes, station.tries(gathered))
    if not asked.dry_run:
        station.keep(evidence, gathered, about)
    return evidence


def _load(asked: Asked, rate: float | None) -> Load | None:
    """What persons can keep up with, where that was asked about."""
    if asked.capacity is None:
        return None
    if rate is None:
        raise Unusable("--capacity needs --rate, the parts/h of the line")
    try:
        return Load(rate, asked.prevalence or 0.0, asked.capacity)
    except ValueError as error:
        raise Unusable(str(error)) from error


def _report(path: Path, evidence: Evidence) -> None:
    from edge.report import calibration_report

    calibration_report.write(path, evidence)
    say(f"the report is {path}")


def _end(asked: Asked, station: Station | None, evidence: Evidence, gathered: Gathered) -> None:
    if evidence.result is None:
        raise typer.Exit(CHECK_FAILED)
    if station is None:
        say("looked at without a station: nothing is kept")
    elif asked.dry_run:
        say("a dry run: nothing is kept and nothing applied")
    elif asked.apply:
        apply(station.config, evidence.id, asked.by, asked.reason or f"calibrated {evidence.id}")
        with progress("pictures kept") as tell:
            words = pin(station, evidence, gathered, asked.dataset, tell)
        say(words)
    else:
        say(f"kept, not in force → edge-inspect calibration apply {evidence.id} --by NAME --reason")


def apply(config: Config, calibration: str, by: str | None, reason: str) -> None:
    """Put a calibration in force, by the line where it runs. Ends the command where it refuses."""
    arguments = {"calibration": calibration, "reason": reason}
    answer = ask_line(config, "apply_calibration", arguments, by)
    if answer is None:
        fail("the line has not answered yet; the request is waiting", code=FAILED)
    if not answer["ok"]:
        fail(str(answer["message"]))
    say(
        f"in force: calibration {answer['calibration']}, accept below {answer['accept_below']},"
        f" reject from {answer['reject_above']}" + ("" if answer["certified"] else ", uncertified")
    )


def in_words(evidence: Evidence) -> Iterator[str]:
    """What a person should read before anything else."""
    known = evidence.samples
    yield f"{len(known.good_scores)} good parts, {len(known.defect_scores)} defects count"
    for left in evidence.left_out:
        yield f"  left out: {left.count} ({left.why}), such as {', '.join(left.examples[:3])}"
    if evidence.resembling:
        yield f"  {evidence.resembling} look almost like another one; they count all the same"
    if evidence.tries:
        yield f"  tried on these very pictures before: {evidence.tries}"
    yield from _refused(evidence) if evidence.result is None else _found(evidence)


def _found(evidence: Evidence) -> Iterator[str]:
    result = evidence.result
    assert result is not None
    yield f"accept below {result.accept_below!r}, reject from {result.reject_above!r} on"
    sure = f"with {evidence.targets.confidence:.10g} confidence"
    if evidence.load is not None:
        yield from _fitting(evidence, evidence.load)
    for words, bound in (("defects accepted", result.escape), ("good rejected", result.overkill)):
        if bound.target is not None:
            yield (
                f"  {words}: {bound.observed:.4%} here, at most {bound.upper_bound:.4%} {sure}"
                f" ({_asked_for(evidence, bound)})"
            )
    shares = (("good parts", result.automation_good), ("defects", result.automation_defect))
    for words, share in (*shares, ("all parts", result.at_prevalence)):
        if share is not None:
            yield f"  {share:.1%} of {words} need no person"
    for row in result.types:
        yield f"  {row.type}: {row.accepted} of {row.n} accepted, {row.escalated} to persons"
    for why in evidence.uncertified_because:
        yield f"NOT CERTIFIED: {why}"


def _asked_for(evidence: Evidence, bound: Bound) -> str:
    result = evidence.result
    if evidence.load is not None and result is not None and bound is result.escape:
        return "the tightest that fits"
    return f"asked for {bound.target:.10g}"


def _fitting(evidence: Evidence, load: Load) -> Iterator[str]:
    result = evidence.result
    assert result is not None
    decided = result.at_prevalence
    asked_for = 0.0 if decided is None else load.rate_per_hour * (1 - decided)
    yield (
        f"  the tightest escape bound for {load.answers_per_hour:,.10g} answers/h at "
        f"{load.rate_per_hour:,.10g} parts/h: about {asked_for:,.0f} questions/h are expected"
    )
    if result.escape.upper_bound >= 1:
        yield "  so few answers leave no bound: any share of the defects could be accepted"


def _refused(evidence: Evidence) -> Iterator[str]:
    targets, tightest, needed = evidence.targets, evidence.tightest, evidence.needed
    yield f"these parts do not suffice for {targets.confidence:.10g} confidence"
    for words, key, kind, target in (
        ("escape", "escape", "defect", targets.max_escape),
        ("overkill", "overkill", "good", targets.max_overkill),
    ):
        if needed[kind]:
            named = "defects" if kind == "defect" else "good parts"
            yield (
                f"  {words}: the tightest bound that they certify is {tightest[key]:.4f};"
                f" for {target:.10g}, {needed[kind]} more {named} are needed"
            )
    yield _time_needed(evidence)
    for only, kind in (("accept", "defects"), ("reject", "good parts")):
        lacking = evidence.only_needed.get(only, 0)
        enough = f"needs {lacking} more {kind}" if lacking else "would suffice"
        yield f"  --only {only} {enough}"


def _time_needed(evidence: Evidence) -> str:
    hours = hours_needed(evidence)
    if hours is None:
        return "  --rate and --prevalence say how long these take to come"
    shown = f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.0f} days"
    return f"  at {evidence.rate_per_hour:.10g} parts/h these come in {shown}"
