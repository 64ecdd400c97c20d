"""A station whose follower is stepped by hand, with a line and persons of all roles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.requests import Request

from edge.statusfile import StatusFile
from edge.web.call import Call
from tests.edge.web.parts import LineOfTests
from tests.edge.web.station import Station, station
from tests.edge.web.visiting import Browser


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
