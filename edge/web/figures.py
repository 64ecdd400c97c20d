"""Today's figures, the line's own word and delivery's, put together for page and API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.records import utc
from edge.status import of_service
from edge.store import answers
from edge.web.call import Call
from edge.web.line_state import Known
from edge.web.today import Bars, Figures, Period
from edge.web.views import Views

LINE = (
    "state",
    "at",
    "since",
    "degree",
    "degree_why",
    "ceiling",
    "limits",
    "calibration",
    "causes",
    "bounds",
    "challenge",
    "parts_per_second",
    "open_escalations",
    "overruns",
    "unrecorded",
    "storage",
    "model",
    "runtime",
)
"""Members of the line's status that pages show."""
SYNC = (
    "state",
    "connected",
    "acknowledge",
    "collector",
    "backlog",
    "streams",
    "pictures",
    "rate",
    "causes",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the page of the line shows, but for words."""

    figures: Figures
    last: list[dict[str, Any]]
    known: Known
    line: Mapping[str, Any]
    sync: Mapping[str, Any] | None
    sync_word: str

    def as_json(self) -> dict[str, Any]:
        """As the API says it."""
        figures = self.figures
        return {
            "period": figures.period,
            "since": utc(figures.span.begin),
            "until": utc(figures.span.end),
            "complete": figures.complete,
            "parts": figures.parts,
            "decisions": dict(figures.decisions),
            "dispositions": {fate: dict(by) for fate, by in figures.dispositions.items()},
            "yield": figures.good_share,
            "not_asked": figures.not_asked,
            "challenge": figures.challenge,
            "bars": _bars(figures.bars),
            "last": self.last,
            "line": {**self.known.as_json(), "status": dict(self.line)},
            "sync": None if self.sync is None else {**self.sync, "state": self.sync_word},
        }


def shown(call: Call, period: Period) -> Shown:
    """Everything as it is now, as far as this person may see it."""
    assert call.who is not None
    shop = call.shop
    known = shop.line.now
    sync = None if shop.config.sync is None else of_service(shop.config, "sync")
    return Shown(
        figures=shop.figures.figures(shop.clock.wall(), period),
        last=_last(call),
        known=known,
        line=_members(known.said, LINE),
        sync=None if sync is None else _members(sync.content, SYNC),
        sync_word="none" if sync is None else sync.word,
    )


def period_of(call: Call) -> Period:
    """The period asked for; without shifts there are only days."""
    asked = call.request.query_params.get("period")
    return "shift" if call.shop.config.station.shifts and asked != "day" else "day"


def _last(call: Call) -> list[dict[str, Any]]:
    parts, found = call.shop.figures.last(), []
    assert call.who is not None
    with call.shop.reading() as line, call.shop.answered() as queue:
        said = answers.latest(queue, [str(part.inspection["id"]) for part in parts])
        views = Views(call.who, line, call.shop.answers)
        for part in parts:
            try:
                name = part.inspection["id"]
                found.append(views.listed(part.inspection, part.disposition, said.get(name)))
            except (KeyError, TypeError, ValueError):
                continue
    return found


def _members(status: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: status.get(name) for name in names}


def _bars(bars: Bars) -> dict[str, Any]:
    return {
        "from": utc(bars.span.begin),
        "step_s": bars.step_s,
        "accept_reject_escalate": [list(one) for one in bars.counts],
    }
