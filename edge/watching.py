"""The half of the line that listens, watches the bounds and saves what is damaged, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge import calibrations
from edge.clock import Clock
from edge.decision.challenge import interrupted
from edge.monitor.bounds import Wanted
from edge.records import Origin
from edge.recovery.enduring import EnduringJournal
from edge.recovery.history import History
from edge.review.verdicts import FILE
from edge.standards import Standards
from edge.store.archive import Archive
from edge.workers.challenges import ChallengeRequests, Challenges
from edge.workers.openings import Openings
from edge.workers.ruler import Ruler
from edge.workers.salvaging import Salvaging
from edge.workers.suspecting import Suspecting
from edge.workers.tend import Helper
from edge.workers.verdicts import VerdictReader
from edge.workers.watch import Undo, Watch

if TYPE_CHECKING:
    from edge.config import Config

TEND_BUSY_MS = 50
"""So long the tend thread waits for the lock of a file that is not the line's own."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What the tend thread looks after besides, and the challenge that may be running."""

    verdicts: VerdictReader
    watch: Watch
    challenges: Challenges
    requests: ChallengeRequests
    salvaging: Salvaging
    suspecting: Suspecting

    @property
    def helpers(self) -> tuple[Helper, ...]:
        """Stepped in this order."""
        return self.verdicts, self.watch, self.salvaging, self.suspecting

    def troubles(self) -> Mapping[str, str | None]:
        """Why something of it does not work, by the cause of the alarm."""
        return {
            "verdicts": self.verdicts.failing,
            "watch": self.watch.failing,
            "database": self.salvaging.trouble,
        }

    def figures(self) -> Mapping[str, object]:
        """The members `bounds`, `challenge` and `answers` of the status."""
        running = self.challenges.running
        shown = None if running is None else {"truth": running.truth, "left": running.left}
        answers = self.verdicts.place
        return {"bounds": self.watch.figures, "challenge": shown, "answers": answers}


def watching(
    config: Config,
    standards: Standards,
    ruler: Ruler,
    clock: Clock,
    origin: Origin,
    journal: EnduringJournal,
    openings: Openings,
) -> Watching:
    """Wired; no file is opened yet. What the line kept at its last commit comes from `journal`."""
    line, queue = config.state_dir / "line.db", config.state_dir / FILE
    reader, state = History(line), journal.state
    answers, undo_s = Archive(queue, TEND_BUSY_MS), config.escalation.undo_s
    challenges = Challenges(interrupted(state))
    return Watching(
        VerdictReader(answers, openings, clock, origin, state, undo_s),
        Watch(
            reader,
            Archive(queue, TEND_BUSY_MS),
            ruler,
            clock,
            lambda key: wanted(config, standards, key),
            lambda key: unsure(standards, key),
            state,
            Undo(origin.boot_id, undo_s),
        ),
        challenges,
        ChallengeRequests(challenges, clock, origin, lambda: _useless(ruler)),
        Salvaging(config.state_dir),
        Suspecting([reader], journal.suspect),
    )


def wanted(config: Config, standards: Standards, calibration: str) -> Wanted:
    """What the instruments watch: the bounds that this calibration states; for what it does not
    state, what the configuration asks for."""
    rules, content = config.decision, _content(standards, calibration)
    return Wanted(
        _target(content, "escape", rules.max_escape),
        _target(content, "overkill", rules.max_overkill),
        rules.confidence,
        rules.spot_checks_per_day,
        rules.max_slip,
    )


def unsure(standards: Standards, calibration: str) -> float | None:
    """The share of good parts that this calibration leaves between its cuts, where it says so."""
    shares = _content(standards, calibration).get("automation")
    good = shares.get("good") if isinstance(shares, dict) else None
    return 1.0 - good if isinstance(good, int | float) and 0 <= good <= 1 else None


def _content(standards: Standards, calibration: str) -> Mapping[str, object]:
    """What its file says; nothing for cuts that were typed by hand, or a file that is gone."""
    try:
        return calibrations.find(standards.folders, calibration)[0].content
    except (OSError, ValueError):
        return {}


def _target(content: Mapping[str, object], name: str, otherwise: float) -> float:
    stated = content.get(name)
    target = stated.get("target") if isinstance(stated, dict) else None
    return float(target) if isinstance(target, int | float) and 0 < target < 1 else otherwise


def _useless(ruler: Ruler) -> str | None:
    """Why a challenge part would say nothing about the model."""
    if ruler.now.degree == "human_only":
        return "the degree is human_only, the model does not run"
    return None if ruler.basis.cuts is not None else "there are no cuts"
