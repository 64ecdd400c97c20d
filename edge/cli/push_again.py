"""The command that repeats a push, for those stations that it did not reach."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.fleet.plan import Plan


def command(digest: str, plan: Plan) -> str:
    """`fleet push` with the same bundle, targets and options: whoever has it is left out."""
    words = ["edge-inspect", "fleet", "push", digest[:12], *_options(plan)]
    return f"{shlex.join(words)} --by NAME --reason WHY"


def _options(plan: Plan) -> Iterator[str]:
    from sync.fleet.plan import Plan as AnyPlan

    for target in plan.targets:
        yield from ("--to", target)
    usual = AnyPlan(plan.targets)
    for option, said, known in (
        ("--strategy", plan.strategy, usual.strategy),
        ("--canary", _joined(plan.steps), _joined(usual.steps)),
        ("--waves", ",".join(plan.waves), ",".join(usual.waves)),
    ):
        if said != known:
            yield from (option, said)
    flags = {
        "--no-promote": not plan.promote,
        "--again": plan.again,
        "--not-trained-on-station-pictures": plan.not_trained_on_yours,
    }
    yield from (flag for flag, given in flags.items() if given)
    common = asdict(usual.thresholds) | asdict(usual.limits)
    for name, value in (asdict(plan.thresholds) | asdict(plan.limits)).items():
        if value != common[name] and name != "offline_s":
            yield from _number(name, value)


def _number(name: str, value: float) -> Iterator[str]:
    if name == "wait_calibration_s":
        name, value = "wait_calibration_days", value / 86400.0
    yield from (f"--{name.replace('_', '-')}", repr(value))


def _joined(steps: tuple[float, ...]) -> str:
    return ",".join(f"{one:g}" for one in steps)
