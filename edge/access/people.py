"""The persons of a station: who they are, what they may do, how they come in."""

from __future__ import annotations

from collections.abc import Callable

from edge.access.attempts import Attempts
from edge.access.changing import Changing
from edge.access.denied import Denied
from edge.access.entry import Door
from edge.access.person import Language, Person
from edge.access.pins import Pins
from edge.access.record import Access
from edge.access.register import Entry, Register
from edge.access.reporting import Clock, Reporting
from edge.access.secret import Secret
from edge.access.sessions import Sessions
from edge.access.store import WebStore
from edge.records import Origin, utc

FIGURES = "person_figures"


class People(Changing):
    """Thread-safe. Every change is in the chain before it is made, by opaque ids only."""

    def __init__(
        self,
        store: WebStore,
        record: Callable[[Access], None],
        clock: Clock,
        origin: Origin,
        secret: Secret,
        sessions: Sessions,
        pins: Pins | None = None,
    ) -> None:
        pins, register = pins or Pins(secret), Register(store)
        reporting = Reporting(record, origin, clock)
        attempts = Attempts(store, clock, origin.boot_id)
        door = Door(store, register, pins, attempts, secret, reporting, clock)
        super().__init__(register, pins, attempts, door, sessions, reporting, clock)
        self._store = store

    # who there is

    def by_id(self, person: str) -> Person | None:
        """By the opaque id, those too who may not come in any more."""
        found = self._register.get(person)
        return None if found is None else found.person

    def entry(self, person: str) -> Entry | None:
        """The same, with how they come in."""
        return self._register.get(person)

    def all(self) -> list[Entry]:
        """Everybody with a name, by name."""
        return self._register.all()

    # coming in

    def check(self, number: str, pin: str, address: str) -> Person:
        """Who has this number, if the PIN is right. Raises Denied("wrong" or "wait")."""
        person = self._door.by_pin(number, pin, address).person
        self._door.arrived(person, "pin")
        return person

    def check_badge(self, text: str, address: str) -> Person:
        """Whose badge this is. Raises Denied("wrong" or "wait")."""
        person = self._door.by_badge(text, address).person
        self._door.arrived(person, "badge")
        return person

    def confirm(self, person: str, pin: str, address: str) -> Person:
        """The PIN again, of somebody who is here already. Raises Denied as `check` does."""
        known = self._open(person)
        return self._door.by_pin(known.person.number, pin, address).person

    def confirm_badge(self, person: str, text: str, address: str) -> Person:
        """The badge again. Another person's is as wrong as nobody's."""
        known = self._open(person)
        found = self._door.by_badge(text, address)
        if found.person.id != known.person.id:
            raise Denied("wrong", "this badge is another person's")
        return found.person

    # the first lead

    @property
    def nobody(self) -> bool:
        """Whether there is nobody who could let others in: then a one-time code can."""
        return not any(one.person.may("people") for one in self._register.open())

    @property
    def code_waits(self) -> bool:
        """Whether a one-time code is valid now."""
        return self._door.codes > 0

    def first_code(self) -> str | None:
        """A one-time code for the first lead, to be shown to whoever can see the service's log;
        None where there is somebody who lets others in."""
        return self._door.new_code() if self.nobody else None

    def another_code(self, code: bytes, **details: object) -> None:
        """Let in a code, by its hash, that makes one more lead, whoever there is: for `edge-inspect
        web first-code`, typed by somebody with an account on this machine. Recorded."""
        self.reporting.report("code_made", None, None, **details)
        self._door.keep_code(code)

    def first(
        self, code: str, name: str, number: str, pin: str, address: str, language: Language = "en"
    ) -> Person:
        """The first lead. The code is spent, and with it all others. Raises Denied."""
        with self._lock:
            self._door.by_code(code, address)
            made = self._made(name, number, "lead", pin, language, given=False)
            self.reporting.report("first_lead", made.person.id, made.person.id)
            self._register.put(made)
            self._door.spend_codes()
            self._attempts.right(number, address)
            return made.person

    # settings

    @property
    def person_figures(self) -> bool:
        """Whether the page shows figures of single persons; off until a lead says so."""
        return self.person_figures_since is not None

    @property
    def person_figures_since(self) -> str | None:
        """Since when they are on; nothing before is counted. None where they are off."""
        word, _, since = (self._store.setting(FIGURES) or "").partition(" ")
        return since if word == "on" else None

    def set_person_figures(self, by: Person, on: bool) -> None:
        """Switch them on or off; recorded. Switched on again, they begin anew."""
        if on == self.person_figures:
            return
        self.reporting.report("setting_set", by.id, None, setting=FIGURES, to=on)
        self._store.set(FIGURES, f"on {utc(self._clock.wall())}" if on else "off")
