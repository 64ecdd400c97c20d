"""A station whose follower is stepped by hand, with a line and persons of all roles."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.requests import Request

from edge.statusfile import StatusFile
from edge.web.call import Call
from tests.edge.web.parts import BLURRED, DRAWN, LineOfTests, picture
from tests.edge.web.station import Station, station
from tests.edge.web.visiting import Browser

BOUND = {
    "answered": 5, "unanswered": 2, "found": 1, "parts": 9,
    "estimate": 0.2, "lower": 0.1, "upper": 0.4,
}  # fmt: skip
BOUNDS = {
    "calibration": "k", "parts": 1234, "days": 1.0, "confidence": 0.95,
    "escape": {"target": 0.01, "estimate": None},
    "slip": {**BOUND, "target": 0.05}, "overkill_of_rejects": {**BOUND, "answered": 0},
    "challenge": {"escape": {**BOUND, "target": 0.01}, "overkill": {**BOUND, "target": 0.5}},
    "power": [
        {"instrument": "spot checks", "change": "a doubled escape rate", "limit": 0.01,
         "rate": 0.02, "looks": 1709, "days": days, "watches": bool(days and days < 30)}
        for days in (8545.2, 12.0, 0.2, None)
    ],
}  # fmt: skip
STATUS: dict[str, Any] = {
    "degree": "partial", "degree_why": "set by a person", "ceiling": "full", "limits": [],
    "bounds": BOUNDS, "challenge": {"truth": "defect", "left": 3}, "causes": [],
    "parts_per_second": 1.5, "open_escalations": 1, "unrecorded": 0, "overruns": 2,
    "model": {"name": "rings", "version": "1.0.0", "bundle": "b" * 64},
    "storage": {"used_bytes": 5e9, "limit_bytes": 2e10, "pictures": 12345, "days_left": 9.6,
                "outage_days": None},
}  # fmt: skip


@dataclass
class Plant:
    """`otto` is an operator, `lena` a lead, `enno` an engineer."""

    station: Station
    line: LineOfTests
    otto: Browser
    lena: Browser
    enno: Browser

    def follow(self) -> None:
        """Everything that the service would come to know by itself."""
        follower = self.station.opened.follower
        follower._news._checks_ns = follower._news._again_ns = 0
        while follower.unit():
            pass

    def lives(self, **more: Any) -> None:
        """The line says something new, and is heard."""
        for _ in range(2):
            self.line.lives(**more)
            self.station.opened.follower._second_ns = 0
            self.follow()

    def asks(self, *parts: Any, **more: Any) -> None:
        self.line.asks(*parts, **more)
        self.follow()

    def answers(self, who: Browser, part: Any, said: str = "reject", **more: Any) -> Any:
        """By way of a claim."""
        claim = who.post("/api/v1/claims", {"inspection": part.id}).json
        body = {"claim": claim["claim"], "verdict": said, "inspection": part.id, **more}
        answer = who.post("/api/v1/verdicts", {**body, "picture": claim["case"]["picture"]})
        assert answer.status == 200, answer.body
        return answer.json

    def decided(self, part: Any, fate: str = "reject", by: str = "person") -> None:
        self.line.decides(part, fate, by)
        self.follow()

    def speaks(self, number: str, language: Any) -> None:
        """The person's language."""
        self.station.shop.people.set_language(self.station.who[number], language)

    def call(self, number: str, path: str, query: str = "", **config: Any) -> Call:
        """A request as an endpoint is given it, at a station that is configured otherwise."""
        settings = self.station.config.model_copy(update=config)
        shop = replace(self.station.shop, config=settings)
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [],
        }
        person = shop.people.by_id(self.station.who[number])
        return Call(Request(scope), shop, person)

    def sync_says(self, **more: Any) -> None:
        StatusFile(self.station.config.status_folder, "sync").write(more)


@contextmanager
def plant_in(folder: Path, **web: Any) -> Iterator[Plant]:
    """All of it, in this folder."""
    with station(folder, **web) as found:
        line = LineOfTests(found.config.state_dir)
        persons = (found.entered(number) for number in "879")
        yield Plant(found, line, *persons)
        line.journal.close()


def page(who: Any, path: str, status: int = 200) -> str:
    answer = who.get(path, {"accept": "text/html"})
    assert answer.status == status, answer.body
    found: str = answer.text
    return found


def words(text: str) -> str:
    """What a person reads."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def busy(plant: Plant) -> Any:
    """Parts of all kinds, an answer, a correction; the part that was answered."""
    plant.line.sure(2)
    part = plant.line.part("P-1", picture())
    blurred = plant.line.part("P-2", doubts=(BLURRED,), reason="doubt")
    drawn = plant.line.part("P-3", decision="accept", spot_check=DRAWN)
    plant.line.journal.append([drawn, plant.line.fate(drawn, "accept", "model")])
    plant.line.draws(drawn)
    plant.asks(part, blurred)
    plant.answers(plant.otto, part, "reject", note="at the rim")
    plant.decided(part)
    plant.otto.post("/api/v1/corrections", {"inspection": part.id, "to": "accept", "reason": "no"})
    plant.lives(**STATUS)
    return part
