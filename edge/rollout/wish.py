"""What persons' orders about models would change, or why they cannot be carried out.

The line asks before it stores anything; a dry run asks, and stops there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from edge.clock import Clock
from edge.config import Config
from edge.requests import Refused, Request
from edge.rollout.changes import Change, Word, begin, give_up, move
from edge.rollout.course import Known
from edge.rollout.parts import Dossier
from edge.rollout.probation import BESIDE, Impossible, Orders, Probation
from edge.rollout.standing import Standing
from sync.assignment import STRATEGIES, Limits, Strategy

_SHA256 = re.compile(r"[0-9a-f]{64}")
NO_CANDIDATE = "there is no candidate; `edge-inspect model show` tells what is there"


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a candidate that a person brings, where the request says nothing else."""

    trial_parts: int
    limits: Limits


def rules_of(config: Config) -> Rules:
    """As the station is configured."""
    limits = Limits(min_parts=config.rollout.min_parts)
    return Rules(config.rollout.trial_parts, limits)


class Looking(Protocol):
    """The steward, as far as it is asked."""

    @property
    def standing(self) -> Standing:
        """Which models there are."""

    @property
    def dossier(self) -> Dossier | None:
        """What is known of the candidate."""

    def look(self) -> Known:
        """What is known at this moment."""


@dataclass(frozen=True, slots=True)
class Still:
    """A line that is stopped: no process of a model runs."""

    standing: Standing
    dossier: Dossier | None = None

    def look(self) -> Known:
        """What is known without any process."""
        return Known(needs_cuts=self.standing.active.calibration is not None)


class Wishes:
    """Works out the change of each kind of request. Raises Refused."""

    def __init__(self, looking: Looking, clock: Clock, rules: Rules) -> None:
        self._looking = looking
        self._clock = clock
        self._rules = rules
        self._kinds: Mapping[str, Callable[[Standing, Request, Word], Change]] = {
            "model_install": self._install,
            "model_promote": self._promote,
            "model_rollback": self._rollback,
            "model_cancel": self._cancel,
        }

    @property
    def kinds(self) -> tuple[str, ...]:
        """Those that are known."""
        return tuple(self._kinds)

    def change(self, kind: str, request: Request) -> Change:
        """What a request of this kind would change now."""
        if not request.by or not _text(request, "reason"):
            raise Refused("expected the person who decides it, and a reason")
        word = Word(request.by, request.account, request.id)
        try:
            return self._kinds[kind](self._looking.standing, request, word)
        except Impossible as error:
            raise Refused(str(error)) from error

    def _install(self, standing: Standing, request: Request, word: Word) -> Change:
        """Arguments: source (a folder or zip), digest, name, version, reason; strategy, steps,
        promote, again, not_trained_on_yours where they are not as usual."""
        if standing.on_trial:
            raise Refused(
                "the active model is on trial; `edge-inspect model promote` ends the trial, "
                "`edge-inspect model rollback` goes back"
            )
        coming = self._coming(standing, request)
        if coming.digest == standing.active.digest:
            raise Refused(f"{coming.name} {coming.version} is active already")
        again = _flag(request, "again", False)
        known = standing.refusal(coming.digest, coming.orders.serial + 1, again)
        if known is not None:
            raise Refused(
                f"this bundle was refused here ({known.code}: {known.why}); --again tries it anew"
            )
        return begin(standing, coming, word, again=again)

    def _coming(self, standing: Standing, request: Request) -> Probation:
        source, digest = _text(request, "source"), _text(request, "digest")
        name, version = _text(request, "name"), _text(request, "version")
        if source is None or digest is None or name is None or version is None:
            raise Refused("expected source, digest, name and version of a bundle")
        if not os.path.isabs(source) or not Path(source).exists():
            raise Refused(f"{source} is not there")
        if not _SHA256.fullmatch(digest):
            raise Refused(f"{digest!r} is no digest of a bundle")
        orders = Orders(
            serial=standing.seen or 0,
            by=request.by or "",
            strategy=_strategy(request),
            steps=_steps(request),
            promote=_flag(request, "promote", True),
            account=request.account,
            request=request.id,
            source=source,
            not_trained_on_yours=_flag(request, "not_trained_on_yours", False),
            limits=self._rules.limits,
        )
        return Probation(
            id=self._clock.new_id(),
            digest=digest,
            name=name,
            version=version,
            orders=orders,
            state="verified",
            since=self._clock.wall(),
        )

    def _promote(self, standing: Standing, request: Request, word: Word) -> Change:
        """Arguments: reason. The candidate becomes active; during a trial, the trial ends well."""
        wall = self._clock.wall()
        if standing.on_trial:
            return move(standing, "settle", wall, word=word, trial=None)
        candidate = standing.beside
        if candidate is None:
            raise Refused(NO_CANDIDATE)
        if candidate.state not in BESIDE:
            raise Refused(f"the candidate is not so far: it is {candidate.state}")
        known = self._looking.look()
        if known.needs_cuts and candidate.calibration is None:
            raise Refused(f"it has no cuts of its own yet: {_missing(candidate)}")
        if why := _not_now(known):
            raise Refused(why)
        parts = self._rules.trial_parts
        return move(standing, "promote", wall, word=word, trial=parts, base=known.parts)

    def _rollback(self, standing: Standing, request: Request, word: Word) -> Change:
        """Arguments: reason. A canary stops; without one the active model gives way to the
        previous one, or to the configured one."""
        wall, why = self._clock.wall(), _text(request, "reason") or ""
        candidate = standing.beside
        if candidate is not None and candidate.state == "canary":
            return move(standing, "rollback", wall, code="ordered", why=why, word=word)
        dossier, new_id = self._looking.dossier, self._clock.new_id()
        parts = None if dossier is None else dossier.parts
        return give_up(standing, "ordered", why, wall, new_id, word, parts)

    def _cancel(self, standing: Standing, request: Request, word: Word) -> Change:
        """Arguments: reason. The candidate goes; without one, how the last one ended is noted, and
        what line.db has lost."""
        if standing.beside is not None:
            why = _text(request, "reason")
            return move(standing, "cancel", self._clock.wall(), code="ordered", why=why, word=word)
        if (standing.last is None or standing.noted) and standing.lost is None:
            raise Refused(NO_CANDIDATE)
        return Change(replace(standing, noted=True, lost=None), ())


def _not_now(known: Known) -> str | None:
    if known.unconfirmed:
        return "it has guessed fields that nobody confirmed: `edge-inspect model confirm`"
    if known.broken is not None:
        return f"it has to go: {known.broken.words}"
    if known.warm and known.prepared:
        return None
    return "its process is starting and does not answer yet: ask again in some seconds"


def _missing(candidate: Probation) -> str:
    if candidate.needed is None:
        return candidate.why or "they are being worked out"
    good, defect = candidate.needed
    return f"{good} good and {defect} defective labelled parts are missing"


def _text(request: Request, name: str) -> str | None:
    value = request.arguments.get(name)
    return value if isinstance(value, str) and value else None


def _flag(request: Request, name: str, usual: bool) -> bool:
    value = request.arguments.get(name, usual)
    if not isinstance(value, bool):
        raise Refused(f"{name}: expected true or false")
    return value


def _strategy(request: Request) -> Strategy:
    wanted = request.arguments.get("strategy", "shadow")
    for strategy in STRATEGIES:
        if strategy == wanted:
            return strategy
    raise Refused(f"strategy: expected one of {', '.join(STRATEGIES)}")


def _steps(request: Request) -> tuple[float, ...]:
    wanted: Any = request.arguments.get("steps", [5.0, 25.0, 100.0])
    good = isinstance(wanted, list) and 1 <= len(wanted) <= 20
    good = good and all(isinstance(one, int | float) and 0 < one <= 100 for one in wanted)
    if not good or wanted != sorted(set(wanted)):
        raise Refused("steps: expected rising percentages above 0, at most 100")
    return tuple(float(one) for one in wanted)
