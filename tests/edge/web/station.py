"""The whole service for tests, but for its socket: real files, access on a clock set by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge.access.machines import Machines
from edge.access.people import People
from edge.access.pins import Pins
from edge.access.secret import secret_of
from edge.access.sessions import Sessions
from edge.config import Config
from edge.records import Origin
from edge.store.archive import Archive
from edge.web.app import build_app
from edge.web.cookies import PLAIN, SECURE
from edge.web.opening import Opened, open_all
from edge.web.shop import Shop
from tests.edge.access.door import CHEAP, LEAD_PIN, OPERATOR_PIN, HandClock
from tests.edge.web.visiting import Browser, Running, running

ENGINEER_PIN = "271828"
NAMES = {"7": "Ada Lovelace", "8": "Bert Brecht", "9": "Carl Zuse"}
PINS = {"7": LEAD_PIN, "8": OPERATOR_PIN, "9": ENGINEER_PIN}


@dataclass
class Station:
    """`lead` 7, `operator` 8, `engineer` 9: ids in `who`, PINs in PINS."""

    config: Config
    opened: Opened
    shop: Shop
    clock: HandClock
    running: Running
    who: dict[str, str]

    def browser(self, **more: Any) -> Browser:
        return Browser(self.running, **more)

    def signed_in(self, number: str, **more: Any) -> Browser:
        found = self.browser(**more)
        assert found.sign_in(number, PINS[number]).status == 200
        return found

    def entered(self, number: str, fresh: bool = True, **more: Any) -> Browser:
        """As `signed_in`, without the door: a new session of this person."""
        person = self.shop.people.by_id(self.who[number])
        assert person is not None
        session = self.shop.sessions.begin(person, fresh)
        name = SECURE if self.shop.secure else PLAIN
        return self.browser(cookies={name: session.cookie}, csrf=session.csrf, **more)

    def locked(self, number: str) -> Browser:
        """A session that is locked."""
        found = self.entered(number)
        session = self.shop.sessions.find(next(iter(found.cookies.values())))
        assert session is not None
        self.shop.sessions.lock(session)
        return found

    def refused(self, code: str) -> int:
        return self.shop.refused.all().get(code, 0)

    def records(self) -> list[dict[str, Any]]:
        """What is in queue.db, in order."""
        import json

        with Archive(self.config.state_dir / "queue.db") as queue:
            return [json.loads(row.body) for row in queue.rows(0, 10_000, 1 << 30)]


def config_in(folder: Path, **web: Any) -> Config:
    return Config.model_validate(
        {
            "station": {"site": "a", "line": "b", "name": "c"},
            "state_dir": folder / "state",
            "camera": {"source": "synthetic"},
            "model": {"bundle": "@rings"},
            "web": {"listen": "127.0.0.1:8080", **web},
        }
    )


@contextmanager
def station(folder: Path, secure: bool = False, **web: Any) -> Iterator[Station]:
    """With three persons who have their own PINs."""
    config, clock = config_in(folder, **web), HandClock()
    opened = open_all(config, secure)
    try:
        shop = _by_hand(config, opened, clock)
        with running(build_app(shop)) as app:
            yield Station(config, opened, shop, clock, app, _persons(shop.people))
    finally:
        opened.close()


def _by_hand(config: Config, opened: Opened, clock: HandClock) -> Shop:
    boot, secret = "boot-1", secret_of(config.state_dir)
    sessions = Sessions(opened.store, secret, clock, boot, config.web.lock_after_s)
    origin = Origin(config.station.path, boot, config.digest, "1.0")
    record, pins = opened.chain.record, Pins(secret, CHEAP)
    people = People(opened.store, record, clock, origin, secret, sessions, pins)
    machines = Machines(opened.store, people.reporting, clock)
    return replace(opened.shop, sessions=sessions, people=people, machines=machines)


def _persons(people: People) -> dict[str, str]:
    code = people.first_code()
    assert code is not None
    lead = people.first(code, NAMES["7"], "7", LEAD_PIN, "127.0.0.1")
    engineer = people.add(lead, NAMES["9"], "9", "engineer", ENGINEER_PIN, given=False)
    operator = people.add(lead, NAMES["8"], "8", "operator", OPERATOR_PIN, given=False)
    return {"7": lead.id, "8": operator.id, "9": engineer.id}
