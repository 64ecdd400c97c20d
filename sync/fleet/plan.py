"""What a roll-out was asked to do: whom, how, in which waves, and when to stop. Pure."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sync.assignment import STRATEGIES, Limits, Strategy

LONGEST = 64 * 1024
MOST_WAVES = 50
_SHARES = {"max_failed", "max_permissive", "max_escalation_rise", "max_overkill_rise", "success"}
_COUNT = re.compile(r"[1-9][0-9]{0,6}")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%")
_TARGET = re.compile(r"[a-z0-9_*?-]{1,64}(/[a-z0-9_*?-]{1,64}){2}")


class PlanError(ValueError):
    """A plan that cannot be carried out; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a roll-out stops by itself, and when its next wave begins.

    `max_failed` is the share of the stations that were assigned; `max_deaths` counts over all of
    them. The three shares are of the parts that both models saw, at all stations together, and are
    not judged below `min_parts`. `success` is the share of a wave's stations, of those that can be
    reached, that must have succeeded before the next wave. A station that was away for `offline_s`
    is not waited for.
    """

    max_failed: float = 0.1
    max_deaths: int = 3
    max_permissive: float = 0.005
    max_escalation_rise: float = 0.05
    max_overkill_rise: float = 0.02
    min_parts: int = 200
    success: float = 0.9
    offline_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person ordered. `waves` are how many stations have been reached when each wave has
    begun, as counts or percentages; the last is `100%`. `targets` are stations with `*` and `?`."""

    targets: tuple[str, ...]
    strategy: Strategy = "canary"
    steps: tuple[float, ...] = (5.0, 25.0, 100.0)
    promote: bool = True
    again: bool = False
    not_trained_on_yours: bool = False
    waves: tuple[str, ...] = ("100%",)
    limits: Limits = field(default_factory=Limits)
    thresholds: Thresholds = field(default_factory=Thresholds)

    def as_text(self) -> str:
        """What `parse` reads."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


def parse(text: str) -> Plan:
    """Read a plan. Raises PlanError; what an older version did not write has its default."""
    try:
        content = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError) as error:
        raise PlanError(f"not JSON: {error}") from error
    if not isinstance(content, dict):
        raise PlanError("a plan is one JSON object of sensible size")
    try:
        known = dict(content)
        for name in ("targets", "steps", "waves"):
            if name in known:
                known[name] = tuple(known[name])
        known["limits"] = Limits(**content.get("limits", {}))
        known["thresholds"] = Thresholds(**content.get("thresholds", {}))
        plan = Plan(**known)
        check(plan)
    except PlanError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise PlanError(f"not a plan: {error!r}") from error
    return plan


def check(plan: Plan) -> None:
    """Raises PlanError for a plan that no station would take, or that cannot end."""
    if plan.strategy not in STRATEGIES:
        raise PlanError(f"{plan.strategy!r} is no strategy: {', '.join(STRATEGIES)}")
    steps = plan.steps
    if not steps or len(steps) > 20 or list(steps) != sorted({one for one in steps if _ok(one)}):
        raise PlanError("steps are rising percentages above 0, at most 100, such as 5,25,100")
    if not plan.targets or not all(_TARGET.fullmatch(one) for one in plan.targets):
        raise PlanError("targets are SITE/LINE/STATION, where * and ? stand for anything")
    for name, value in asdict(plan.thresholds).items():
        number = not isinstance(value, bool) and isinstance(value, int | float)
        if not number or not 0 <= value < math.inf:
            raise PlanError(f"{name} must be a number, not below 0")
        if name in _SHARES and value > 1:
            raise PlanError(f"{name} is a share, at most 1")
    sizes(plan.waves, 1)


def matches(targets: Collection[str], station: str) -> bool:
    """Whether one of the targets names this station. `*` does not reach over a `/`."""
    return any(_pattern(target).fullmatch(station) for target in targets)


def sizes(waves: Iterable[str], stations: int) -> list[int]:
    """How many of so many stations have been reached when each wave has begun: never falling, at
    least 1, the last all. Raises PlanError."""
    asked = list(waves)
    if not asked or len(asked) > MOST_WAVES or asked[-1] != "100%":
        raise PlanError("waves rise, and the last is 100%: such as 1,10%,100%")
    found: list[int] = []
    for one in asked:
        percent = _PERCENT.fullmatch(one)
        if percent and 0 < float(percent.group(1)) <= 100:
            size = math.ceil(stations * float(percent.group(1)) / 100 - 1e-9)
        elif _COUNT.fullmatch(one):
            size = int(one)
        else:
            raise PlanError(
                f"{one!r} is no wave: expected a count such as 5 or a share such as 10%"
            )
        found.append(max(1, size, *found[-1:]) if stations else 0)
    return [min(size, stations) for size in found]


def waves_of(
    stations: Collection[str], waves: Iterable[str], salt: str, here: Collection[str] = ()
) -> dict[str, int]:
    """The wave of each station, from 0. Those that are `here` (online) come first; which of them is
    the very first is drawn by `salt`, so that it is not the same station each time."""

    def place(station: str) -> tuple[bool, str]:
        return station not in here, hashlib.sha256(f"{salt} {station}".encode()).hexdigest()

    ordered, ends = sorted(set(stations), key=place), sizes(waves, len(set(stations)))
    return {
        station: next(wave for wave, end in enumerate(ends) if number < end)
        for number, station in enumerate(ordered)
    }


def given(content: Mapping[str, Any]) -> Thresholds:
    """Thresholds of which some are given. Raises PlanError for a name that is none."""
    try:
        return Thresholds(**content)
    except TypeError as error:
        raise PlanError(f"no threshold: {error}") from error


def _pattern(target: str) -> re.Pattern[str]:
    return re.compile(re.escape(target).replace(r"\*", "[a-z0-9_-]*").replace(r"\?", "[a-z0-9_-]"))


def _ok(step: object) -> bool:
    return isinstance(step, int | float) and not isinstance(step, bool) and 0 < step <= 100
