"""Who may come in is changed: each change by somebody who may, recorded first."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace

from edge.access import words
from edge.access.attempts import Attempts
from edge.access.denied import Denied
from edge.access.entry import Door
from edge.access.person import ROLES, Language, Person, Role
from edge.access.pins import Pins, check_rules, long_enough
from edge.access.register import Entry, Register
from edge.access.reporting import Clock, Reporting
from edge.access.sessions import Sessions
from edge.records import utc

MOST = 2000


class Changing:
    """Thread-safe. Only an engineer makes, changes or removes engineers; as long as there is none a
    lead may make one. The last person who may change persons can be neither lowered nor removed.
    """

    def __init__(
        self,
        register: Register,
        pins: Pins,
        attempts: Attempts,
        door: Door,
        sessions: Sessions,
        reporting: Reporting,
        clock: Clock,
    ) -> None:
        self.reporting = reporting
        self._register = register
        self._pins = pins
        self._attempts = attempts
        self._door = door
        self._sessions = sessions
        self._clock = clock
        self._lock = threading.RLock()

    def may_give(self, by: Person, role: Role) -> bool:
        """Whether `by` may make and change persons of this role."""
        engineers = any(one.person.role == "engineer" for one in self._register.open())
        if role not in ROLES or not by.may("people"):
            return False
        return role != "engineer" or by.role == "engineer" or not engineers

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
            self._register.erase(old)

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
        if not self.may_give(by, role):
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
