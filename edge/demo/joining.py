"""How a person, and the simulated operators, come to the demo's page."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from edge import __version__
from edge.access.denied import Denied
from edge.access.entry import code_hash, new_code
from edge.access.machines import Machines
from edge.access.people import People
from edge.access.person import Language, Person
from edge.access.pins import Cost, Pins, check_rules
from edge.access.secret import Secret, secret_of
from edge.access.sessions import Sessions
from edge.access.store import FILE, WebStore
from edge.clock import Clock, boot_id
from edge.config import Config
from edge.demo.operator import WRONG
from edge.records import Origin
from edge.review.chain import Chain

NUMBER = "1"
NAME = "Demo visitor"
OPERATOR = "simulated operator"
RIGHTS = ("answer", "look")
ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Joining:
    """What to type into the browser, and the tokens of the simulated operators."""

    address: str
    number: str
    pin: str
    tokens: tuple[str, ...] = ()


def join(config: Config, address: str, operators: int, language: Language) -> Joining:
    """Let one person and so many simulated operators in. Only while `edge-inspect web` is stopped.

    The person sees every page. PIN and tokens are new at each start and are written nowhere: what
    the terminal shows is all there is. Raises StoreError, sqlite3.Error, OSError.
    """
    pin = _fresh_pin()
    with opened(config) as (people, machines):
        person = _visitor(people, secret_of(config.state_dir), pin, language)
        for listed in machines.all():
            if listed.machine.name.startswith(OPERATOR):
                machines.remove(person.id, listed.machine.id)
        tokens = tuple(
            machines.add(person.id, f"{OPERATOR} {number} ({WRONG:.0%} wrong)", RIGHTS)
            for number in range(1, operators + 1)
        )
    return Joining(address, NUMBER, pin, tokens)


@contextmanager
def opened(config: Config, cost: Cost | None = None) -> Iterator[tuple[People, Machines]]:
    """Persons and machines of a station whose page is stopped; everything is recorded as ever.

    `cost` is that of the PINs which are given meanwhile.
    """
    clock, boot = Clock(), boot_id()
    origin = Origin(config.station.path, boot, config.digest, __version__)
    with Chain(config.state_dir, boot, clock) as chain:
        store = WebStore(config.state_dir / FILE)
        try:
            secret = secret_of(config.state_dir)
            sessions = Sessions(store, secret, clock, boot, config.web.lock_after_s)
            people = People(
                store, chain.record, clock, origin, secret, sessions, Pins(secret, cost)
            )
            yield people, Machines(store, people.reporting, clock)
        finally:
            store.close()


def _visitor(people: People, secret: Secret, pin: str, language: Language) -> Person:
    """The person who joins, with this PIN: known from before, or the first one here."""
    known = (entry.person for entry in people.all() if entry.open)
    person = next((one for one in known if one.number == NUMBER), None)
    if person is None:
        code = new_code()
        people.another_code(code_hash(secret, code))
        person = people.first(code, NAME, NUMBER, pin, ADDRESS, language)
        if not any(entry.open and entry.person.role == "engineer" for entry in people.all()):
            person = people.set_role(person, person.id, "engineer")
    else:
        people.set_pin(person, person.id, pin)
    return people.set_language(person.id, language)


def _fresh_pin() -> str:
    chance = random.SystemRandom()
    while True:
        pin = f"{chance.randrange(10**6):06}"
        try:
            check_rules(pin, "engineer", NUMBER)
        except Denied:
            continue
        return pin
