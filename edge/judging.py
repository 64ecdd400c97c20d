"""Whether this station is ready for *partial*, from its records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge.monitor.readiness import Readiness, Wanted, readiness
from edge.review.spoken import first, spoken
from edge.store.archive import Archive
from edge.store.owner import become_owner
from edge.traffic import blind_answers, traffic

if TYPE_CHECKING:
    from edge.config import Config


def judge(config: Config) -> Readiness:
    """Look at calibration, bundle, recent parts and persons' verdicts. Raises sqlite3.Error."""
    become_owner(config.state_dir)
    obstacles = list(_obstacles(config))
    decision, escalation = config.decision, config.escalation
    wanted = Wanted(
        decision.max_escape,
        decision.max_overkill,
        decision.confidence,
        escalation.answers_per_hour,
    )
    with Archive(config.state_dir / "line.db") as archive:
        recent = traffic(archive)
        share, per_hour = recent.asked_share("partial"), recent.per_hour
        asked = None if share is None or per_hour is None else share * per_hour
        answers = blind_answers(archive, _verdicts(config.state_dir / "queue.db"))
        return readiness(answers, wanted, asked, obstacles)


def _obstacles(config: Config) -> Iterator[str]:
    from edge.running import running

    found = running(config)
    bundle = found.bundle
    if bundle is None:
        yield f"the model cannot be used: {found.why}"
        return
    if bundle.unconfirmed:
        yield f"the bundle has guessed fields: {', '.join(bundle.manifest.guessed)}"
    choice = found.standards.choose()
    if choice.calibration is None:
        yield choice.why
    if config.decision.automation in ("human_only", "shadow", "assist"):
        yield f"the ceiling in the configuration is {config.decision.automation}"


def _verdicts(path: Path) -> Iterator[tuple[str, str]]:
    """(inspection, verdict): the first answer to each that was not undone."""
    for inspection, given in spoken(path).items():
        if (said := first(given)) is not None:
            yield inspection, said["verdict"]
