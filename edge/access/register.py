"""Who is known: one row of web.db for each person, and all of them in memory."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import Literal, cast

from edge.access.denied import Denied
from edge.access.person import Language, Person, Role
from edge.access.store import WebStore

State = Literal["open", "closed", "erased"]
COLUMNS = "id, number, name, role, language, pin, pin_long, pin_given, badge, state, since"


@dataclass(frozen=True, slots=True)
class Entry:
    """A person with what signs them in.

    `pin_long`: the PIN will do for every role. `pin_given`: somebody else chose it; it must be
    changed first. `closed` persons keep their name and may not come in; of `erased` ones only the
    id is left.
    """

    person: Person
    pin: str | None
    pin_long: bool
    pin_given: bool
    badge: bytes | None
    state: State
    since: str

    @property
    def open(self) -> bool:
        """Whether this person may sign in."""
        return self.state == "open"


class Register:
    """The rows. The caller takes care that one thread at a time changes them."""

    def __init__(self, store: WebStore) -> None:
        self._store = store
        self._entries = {
            row[0]: _entry(row) for row in store.rows(f"SELECT {COLUMNS} FROM persons")
        }

    def get(self, person: str) -> Entry | None:
        """By the opaque id."""
        return self._entries.get(person)

    def of_number(self, number: str) -> Entry | None:
        """The open one with this number."""
        return next((one for one in self.open() if one.person.number == number), None)

    def of_badge(self, badge: bytes) -> Entry | None:
        """The open one with the badge of this keyed hash."""
        return next((one for one in self.open() if one.badge == badge), None)

    def open(self) -> list[Entry]:
        """Those who may sign in."""
        return [one for one in self._entries.values() if one.open]

    def all(self) -> list[Entry]:
        """Those with a name, by it."""
        named = [one for one in self._entries.values() if one.state != "erased"]
        return sorted(named, key=lambda one: ((one.person.name or "").casefold(), one.person.id))

    def put(self, entry: Entry) -> None:
        """Add or change one; durable on return. Raises Denied("taken") where another one has this
        number or badge."""
        person = entry.person
        row = (
            person.id,
            person.number or None,
            person.name,
            person.role,
            person.language,
            entry.pin,
            entry.pin_long,
            entry.pin_given,
            entry.badge,
            entry.state,
            entry.since,
        )
        try:
            with self._store.atomically() as database:
                database.execute("DELETE FROM persons WHERE id = ?", (person.id,))
                database.execute(
                    f"INSERT INTO persons ({COLUMNS}) VALUES ({', '.join('?' * len(row))})", row
                )
        except sqlite3.IntegrityError as error:
            raise Denied("taken", "another person has this number or badge") from error
        self._entries[person.id] = entry

    def erase(self, entry: Entry) -> None:
        """What is left of a person is the id, and the role in which the records were made. Nothing
        else is in the file afterwards, deleted or not."""
        nobody = replace(entry.person, name=None, number="")
        blank = replace(entry, pin=None, pin_given=False, badge=None, state="erased", since="")
        self.put(replace(blank, person=nobody))
        self._store.settle()


def _entry(row: tuple[object, ...]) -> Entry:
    identity, number, name, role, language, pin, pin_long, pin_given, badge, state, since = row
    person = Person(
        id=str(identity),
        name=None if name is None else str(name),
        number=str(number or ""),
        role=cast(Role, role),
        language=cast(Language, language),
    )
    return Entry(
        person=person,
        pin=cast("str | None", pin),
        pin_long=bool(pin_long),
        pin_given=bool(pin_given),
        badge=cast("bytes | None", badge),
        state=cast(State, state),
        since=str(since),
    )
