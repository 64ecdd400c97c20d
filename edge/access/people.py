"""The persons of a station: who they are, what they may do, how they come in."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import replace

from edge.access import words
from edge.access.attempts import Attempts
from edge.access.denied import Denied
from edge.access.entry import Door
from edge.access.person import ROLES, Language, Person, Role
from edge.access.pins import Pins, check_rules, long_enough
from edge.access.record import Access
from edge.access.register import Entry, Register
from edge.access.reporting import Clock, Reporting
from edge.access.secret import Secret
from edge.access.sessions import Sessions
from edge.access.store import WebStore
from edge.records import Origin, utc

MOST = 2000
FIGURES = "person_figures"


class People:
    """Thread-safe. Every change is in the chain before it is made, by opaque ids only.

    Only an engineer makes, changes or removes engineers; as long as there is none a lead may make
    one. The last person who may change persons can be neither lowered nor removed.
    """

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
        self._store = store
        self._clock = clock
        self._sessions = sessions
        self._pins = pins or Pins(secret)
        self.reporting = Reporting(record, origin, clock)
        self._attempts = Attempts(store, clock, origin.boot_id)
        self._register = Register(store)
        self._door = Door(
            store, self._register, self._pins, self._attempts, secret, self.reporting, clock
        )
        self._lock = threading.RLock()

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

    def first_code(self) -> str | None:
        """A one-time code for the first lead, to be shown to whoever can see the service's log;
        None where there is somebody who lets others in."""
        return self._door.new_code() if self.nobody else None

    def another_code(self, **details: object) -> str:
        """A code that makes one more lead, whoever there is: for `edge-inspect web first-code`,
        typed by somebody with an account on this machine. Recorded."""
        self.reporting.report("code_made", None, None, **details)
        return self._door.new_code()

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

    # changing who may come in

    def add(
        self,
        by: Person,
        name: str,
        number: str,
        role: Role,
        pin: str,
        language: Language = "en",
        given: bool = True,
    ) -> Person:
        """A new person, whose PIN must be changed at the first sign-in (`given`). Raises Denied."""
        with self._lock:
            self._may_manage(by, role)
            made = self._made(name, number, role, pin, language, given)
            self.reporting.report("person_added", by.id, made.person.id, role=role)
            self._register.put(made)
            self._attempts.forgive(made.person.number)
            return made.person

    def rename(self, by: Person, person: str, name: str, number: str) -> Person:
        """Another name or number."""
        with self._lock:
            old = self._managed(by, person)
            new = replace(old.person, name=words.name(name), number=words.number(number))
            self._taken(new.number, but=person)
            self.reporting.report("person_renamed", by.id, person)
            self._register.put(replace(old, person=new))
            return new

    def set_role(self, by: Person, person: str, role: Role, pin: str | None = None) -> Person:
        """Another role. One that asks for a longer PIN takes a new `pin` with it, else
        Denied("weak_pin")."""
        with self._lock:
            old = self._managed(by, person)
            self._may_manage(by, role)
            new = replace(old, person=replace(old.person, role=role))
            if not new.person.may("people"):
                self._not_the_last(old)
            if pin is not None:
                new = self._with_pin(new, pin, given=by.id != person)
            elif ROLES.index(role) > ROLES.index("operator") and not old.pin_long:
                raise Denied("weak_pin", "this role needs a longer PIN: give a new one")
            self.reporting.report("role_set", by.id, person, role=role, was=old.person.role)
            self._register.put(new)
            if pin is not None:
                self._forget_where(new, by)
            return new.person

    def set_pin(self, by: Person, person: str, pin: str) -> None:
        """A new PIN: one's own, or another's, who must change it then and is signed out."""
        with self._lock:
            own = by.id == person
            old = self._open(person) if own else self._managed(by, person)
            if own and self._pins.same(pin, old.pin):
                raise Denied("weak_pin", "that is the PIN already")
            new = self._with_pin(old, pin, given=not own)
            self.reporting.report("pin_set", by.id, person)
            self._register.put(new)
            self._forget_where(new, by)

    def set_badge(self, by: Person, person: str, text: str | None) -> None:
        """What the badge types; None takes it away."""
        with self._lock:
            old = self._managed(by, person)
            badge = None if text is None else self._door.badge_hash(words.badge(text))
            self.reporting.report("badge_set" if badge else "badge_removed", by.id, person)
            self._register.put(replace(old, badge=badge))

    def set_language(self, person: str, language: Language) -> Person:
        """In which language the page speaks; nobody's business but one's own: not recorded."""
        with self._lock:
            old = self._open(person)
            if language not in ("en", "de"):
                raise Denied("nonsense", "no such language")
            new = replace(old, person=replace(old.person, language=language))
            self._register.put(new)
            return new.person

    def close(self, by: Person, person: str) -> None:
        """May not come in any more; number, PIN and badge are free, the name stays."""
        with self._lock:
            old = self._leaving(by, person, "person_closed")
            new = replace(old, person=replace(old.person, number=""), pin=None, badge=None)
            self._register.put(replace(new, state="closed"))

    def erase(self, by: Person, person: str) -> None:
        """Name, number, PIN and badge are gone; the id stays in the records and is nobody's."""
        with self._lock:
            old = self._leaving(by, person, "person_erased")
            self._register.put(self._register.erased(old))

    # settings

    @property
    def person_figures(self) -> bool:
        """Whether the page shows figures of single persons; off until a lead says so."""
        return self._store.setting(FIGURES) == "on"

    def set_person_figures(self, by: Person, on: bool) -> None:
        """Switch them on or off; recorded."""
        self.reporting.report("setting_set", by.id, None, setting=FIGURES, to=on)
        self._store.set(FIGURES, "on" if on else "off")

    # the rules

    def _open(self, person: str) -> Entry:
        found = self._register.get(person)
        if found is None or not found.open:
            raise Denied("unknown", "no such person")
        return found

    def _managed(self, by: Person, person: str) -> Entry:
        found = self._open(person)
        self._may_manage(by, found.person.role)
        return found

    def _may_manage(self, by: Person, role: Role) -> None:
        engineers = any(one.person.role == "engineer" for one in self._register.open())
        if role not in ROLES or not by.may("people"):
            raise Denied("not_allowed", "this needs another role")
        if role == "engineer" and engineers and by.role != "engineer":
            raise Denied("not_allowed", "only an engineer changes engineers")

    def _not_the_last(self, old: Entry) -> None:
        others = (one for one in self._register.open() if one.person.id != old.person.id)
        if old.person.may("people") and not any(one.person.may("people") for one in others):
            raise Denied("last_lead", "nobody would be left who may change persons")

    def _leaving(self, by: Person, person: str, action: str) -> Entry:
        found = self._register.get(person)
        if found is None or found.state == "erased":
            raise Denied("unknown", "no such person")
        self._may_manage(by, found.person.role)
        if found.open:
            self._not_the_last(found)
        self.reporting.report(action, by.id, person)
        self._attempts.forgive(found.person.number)
        self._sessions.end_all(person)
        return found

    def _taken(self, number: str, but: str = "") -> None:
        found = self._register.of_number(number)
        if found is not None and found.person.id != but:
            raise Denied("taken", "another person has this number")

    def _made(
        self, name: str, number: str, role: Role, pin: str, language: Language, given: bool
    ) -> Entry:
        if len(self._register.all()) >= MOST:
            raise Denied("taken", f"there are {MOST} persons already: erase some")
        if language not in ("en", "de"):
            raise Denied("nonsense", "no such language")
        self._taken(words.number(number))
        identity = f"p-{secrets.token_hex(4)}"
        person = Person(identity, words.name(name), number, role, language)
        blank = Entry(person, None, False, given, None, "open", utc(self._clock.wall()))
        return self._with_pin(blank, pin, given)

    def _with_pin(self, entry: Entry, pin: str, given: bool) -> Entry:
        check_rules(pin, entry.person.role, entry.person.number)
        kept = self._pins.hash(pin)
        return replace(entry, pin=kept, pin_long=long_enough(pin), pin_given=given)

    def _forget_where(self, entry: Entry, by: Person) -> None:
        """With a new PIN from somebody else, whoever came in with the old one is out."""
        self._attempts.forgive(entry.person.number)
        if by.id != entry.person.id:
            self._sessions.end_all(entry.person.id)
