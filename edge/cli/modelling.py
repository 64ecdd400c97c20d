"""`edge-inspect model install|promote|rollback|cancel`: what persons order about a station's
models."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge.cli.options import ByOption, ConfigOption, ReasonOption

if TYPE_CHECKING:
    from edge.config import Config
    from edge.rollout.standing import Standing
    from inference.bundle import Bundle

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say it, do not do it.")]


class StrategyName(str, Enum):
    """How a candidate becomes active."""

    shadow = "shadow"
    canary = "canary"
    blue_green = "blue-green"


def install(
    bundle: Annotated[
        str, typer.Argument(help="A bundle's folder or zip, or @NAME for one that ships with this.")
    ],
    by: ByOption,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, in words; it is recorded.")
    ] = "installed by hand",
    strategy: Annotated[
        StrategyName,
        typer.Option(help="shadow: it decides nothing until `promote`; canary: in steps."),
    ] = StrategyName.shadow,
    steps: Annotated[
        str, typer.Option(help="Of a canary: the shares of parts in percent, rising.")
    ] = "5,25,100",
    promote: Annotated[
        bool, typer.Option("--promote/--no-promote", help="Whether it becomes active by itself.")
    ] = True,
    again: Annotated[
        bool, typer.Option("--again", help="Take one that was refused or rolled back here.")
    ] = False,
    not_trained: Annotated[
        bool,
        typer.Option(
            "--not-trained-on-these",
            help="You know that this station's pinned pictures were not trained on; recorded.",
        ),
    ] = False,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Bring a new model to this station: it is proved here, runs beside the active one on the same
    parts, gets cuts of its own, and decides nothing before all that.

    Back by itself where it does harm. `model show` says how far it is.
    """
    from edge.cli.errors import say
    from edge.cli.naming import bundle_at
    from edge.config_file import load

    settings = load(config)
    found = bundle_at(bundle)
    shares = _steps(steps)
    for line in _course(settings, found, strategy.value, shares, promote):
        say(line)
    arguments: dict[str, object] = {
        "source": str(found.root.resolve()),
        "digest": found.digest,
        "name": found.name,
        "version": found.version,
        "strategy": strategy.value,
        "steps": shares,
        "promote": promote,
        "again": again,
        "not_trained_on_yours": not_trained,
        "reason": reason,
    }
    _ask(settings, "model_install", arguments, by, dry_run)


def promote(
    by: ByOption, reason: ReasonOption, config: ConfigOption = None, dry_run: DryRunOption = False
) -> None:
    """Make the candidate active, with its own calibration. During a trial: end it well."""
    from edge.config_file import load

    settings = load(config)
    _order(settings, "model_promote", _promoted(_standing(settings)), by, reason, dry_run)


def rollback(
    by: ByOption, reason: ReasonOption, config: ConfigOption = None, dry_run: DryRunOption = False
) -> None:
    """Stop a canary; without one, go back to the previous model with its calibration.

    The bundle that goes is not taken again from an older assignment.
    """
    from edge.config_file import load

    settings = load(config)
    _order(settings, "model_rollback", _back(_standing(settings)), by, reason, dry_run)


def cancel(
    by: ByOption, reason: ReasonOption, config: ConfigOption = None, dry_run: DryRunOption = False
) -> None:
    """Drop the candidate. Without one: note how the last one ended, which ends the alarm."""
    from edge.config_file import load

    settings = load(config)
    beside = _standing(settings).beside
    words = (
        "takes note of how the last candidate ended"
        if beside is None
        else f"drops {beside.name} {beside.version}, which is {beside.state}"
    )
    _order(settings, "model_cancel", words, by, reason, dry_run)


def _order(settings: Config, kind: str, words: str, by: str, reason: str, dry_run: bool) -> None:
    from edge.cli.errors import say

    say(words)
    _ask(settings, kind, {"reason": reason}, by, dry_run)


def _ask(settings: Config, kind: str, arguments: dict[str, object], by: str, dry_run: bool) -> None:
    from edge.asking import ask_line
    from edge.cli.errors import fail, say

    ask = _try if dry_run else ask_line
    answer: dict[str, Any] | None = ask(settings, kind, arguments, by)
    if answer is None:
        fail("the line has not answered yet; the request is waiting")
    if not answer["ok"]:
        fail(str(answer["message"]))
    if dry_run:
        say("nothing changed (--dry-run)")
        return
    active, candidate = answer["active"], answer["candidate"]
    typer.echo(f"active: {active['name']} {active['version']} ({active['bundle'][:12]})")
    if candidate is not None:
        typer.echo(f"candidate: {candidate[:12]} is {answer['state']}")


def _try(
    settings: Config, kind: str, arguments: dict[str, object], by: str
) -> dict[str, Any] | None:
    """Whether it would be carried out, in the line's own words; opens nothing to write."""
    from edge.clock import Clock
    from edge.requests import Refused, Request, ask
    from edge.rollout.requests import DRY_RUN, told
    from edge.rollout.wish import Still, Wishes, rules_of
    from edge.status import account, of_service

    request = Request(Clock().new_id(), f"{kind}{DRY_RUN}", arguments, by, account())
    found = _standing(settings)
    if of_service(settings, "line").running:
        return ask(settings.state_dir / "requests" / "line", request)
    try:
        Wishes(Still(found), Clock(), rules_of(settings)).change(kind, request)
    except Refused as refusal:
        return {"ok": False, "message": str(refusal)}
    return {"ok": True, **told(found)}


def _standing(settings: Config) -> Standing:
    from edge.rollout.looking import standing
    from edge.store.owner import become_owner

    become_owner(settings.state_dir)
    return standing(settings)


def _promoted(found: Standing) -> str:
    if found.on_trial:
        return f"ends the trial of {found.active.name} {found.active.version}"
    if found.beside is None:
        return "asks to promote the candidate, and there is none"
    return f"makes {found.beside.name} {found.beside.version} active, with its own calibration"


def _back(found: Standing) -> str:
    beside = found.beside
    if beside is not None and beside.state == "canary":
        return f"stops the canary of {beside.name} {beside.version}"
    if found.back is None:
        return "asks to go back, and there is no previous model"
    return f"goes back from {found.active.version} to {found.back.name} {found.back.version}"


def _course(
    settings: Config, bundle: Bundle, strategy: str, steps: list[float], promote: bool
) -> list[str]:
    """What is going to happen to a bundle, in order."""
    from edge.rollout import pinned

    found, rules = _standing(settings), settings.rollout
    told = [f"{bundle.name} {bundle.version} ({bundle.digest[:12]}):"]
    if found.beside is not None:
        told.append(f"  {found.beside.name} {found.beside.version}, now a candidate, gives way")
    told.append("  is copied into a slot and proved on this machine")
    told.append(
        f"  answers the same parts as {found.active.name} {found.active.version}, at most"
        f" {rules.shadow_share:.0%} of a core, at least {rules.min_parts} parts"
    )
    kept = pinned.read(settings.state_dir)
    told.append(
        "  gets cuts of its own once labelled pictures are pinned (`calibrate DIR --apply`)"
        if kept is None
        else f"  gets cuts of its own from {kept.good} good and {kept.defect} defective pictures"
    )
    if bundle.unconfirmed:
        told.append(
            f"  stays in shadow until somebody confirms {', '.join(bundle.manifest.guessed)}"
        )
    if strategy == "canary":
        shares = ", ".join(f"{step:g}" for step in steps)
        told.append(f"  then decides {shares} % of the parts, {rules.min_parts} parts each")
    if strategy == "shadow" or not promote:
        return [*told, "  becomes active when a person says so (`model promote`)"]
    return [
        *told,
        f"  becomes active by itself; for {rules.trial_parts} parts its return is automatic",
    ]


def _steps(text: str) -> list[float]:
    from edge.cli.errors import USAGE, fail

    try:
        steps = [float(one) for one in text.split(",")]
    except ValueError:
        steps = []
    if not steps or steps != sorted(set(steps)) or not all(0 < step <= 100 for step in steps):
        fail(f"--steps {text}: rising percentages, such as 5,25,100", code=USAGE)
    return steps
