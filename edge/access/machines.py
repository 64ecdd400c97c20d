"""Programs that use the API: a token each, shown once, of which only the hash is stored."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from edge.access import words
from edge.access.denied import Denied
from edge.access.person import Machine, Right
from edge.access.reporting import Clock, Reporting
from edge.access.store import FILE, WebStore
from edge.log import log
from edge.records import utc

GRANTABLE: frozenset[Right] = frozenset({"answer", "look"})
"""No program changes persons, degrees or tokens, sees the live camera or corrects others."""
PREFIX = "ei_"
USED_EVERY_S = 60.0
MOST = 100
QUERY = "SELECT id, name, hash, rights, since, used FROM machines"


@dataclass(frozen=True, slots=True)
class Listed:
    """A token without what makes it one."""

    machine: Machine
    since: str
    used: str | None


class Machines:
    """Thread-safe."""

    def __init__(self, store: WebStore, reporting: Reporting, clock: Clock) -> None:
        self._store = store
        self._reporting = reporting
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[str, float] = {}
        self._known: dict[bytes, Listed] = {}
        self._load()

    def add(self, by: str | None, name: str, rights: Iterable[str]) -> str:
        """Make one; the token, which nobody can show again. Raises Denied, and what the writer of
        the chain raises."""
        token = new_token()
        self.add_hashed(by, name, rights, hash_of(token))
        return token

    def add_hashed(
        self, by: str | None, name: str, rights: Iterable[str], key: bytes, **details: object
    ) -> Machine:
        """The same for a token that somebody else has made: only its hash comes here."""
        wanted = frozenset(rights)
        if not wanted or not wanted <= GRANTABLE:
            raise Denied("nonsense", f"a token is good for {', '.join(sorted(GRANTABLE))}")
        shown = words.name(name)
        machine = Machine(
            f"m-{secrets.token_hex(4)}", shown, frozenset(cast(Right, one) for one in wanted)
        )
        with self._lock:
            if key in self._known:
                return self._known[key].machine
            if len(self._known) >= MOST:
                raise Denied("taken", f"there are {MOST} tokens already: remove some")
            self._reporting.report("token_added", by, machine.id, rights=sorted(wanted), **details)
            self._store.write(
                "INSERT INTO machines VALUES (?, ?, ?, ?, ?, NULL)",
                (machine.id, shown, key, ",".join(sorted(wanted)), self._now()),
            )
            self._load()
        return machine

    def remove(self, by: str | None, machine: str, **details: object) -> None:
        """It is worth nothing from now on. Raises Denied("unknown")."""
        with self._lock:
            if all(one.machine.id != machine for one in self._known.values()):
                raise Denied("unknown", "no machine has this id")
            self._reporting.report("token_removed", by, machine, **details)
            self._store.write("DELETE FROM machines WHERE id = ?", (machine,))
            self._load()

    def find(self, token: str) -> Machine | None:
        """Whose token this is. That it was used is kept once a minute."""
        with self._lock:
            found = self._known.get(hash_of(token))
            if found is None:
                return None
            self._mark(found.machine.id)
            return found.machine

    def by_id(self, machine: str) -> Machine | None:
        """By the opaque id."""
        with self._lock:
            known = [one.machine for one in self._known.values()]
        return next((one for one in known if one.id == machine), None)

    def all(self) -> list[Listed]:
        """All of them, by name."""
        with self._lock:
            self._load()
            return sorted(self._known.values(), key=lambda one: one.machine.name.casefold())

    def _mark(self, machine: str) -> None:
        wall = self._clock.wall()
        if 0 <= wall - self._used.get(machine, -USED_EVERY_S) < USED_EVERY_S:
            return
        self._used[machine] = wall
        try:
            self._store.write("UPDATE machines SET used = ? WHERE id = ?", (self._now(), machine))
        except (sqlite3.Error, OSError) as error:  # no reason to refuse a program
            log.warning("machines.not_written", error=error)

    def _now(self) -> str:
        return utc(self._clock.wall())

    def _load(self) -> None:
        self._known = _read(self._store.rows(QUERY))


def listed(state_dir: Path) -> list[Listed]:
    """The tokens, read from outside the service; none where it has never run.

    Raises sqlite3.Error, OSError.
    """
    path = state_dir / FILE
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.execute("PRAGMA query_only = ON")
        found = _read(database.execute(QUERY).fetchall())
    return sorted(found.values(), key=lambda one: one.machine.name.casefold())


def _read(rows: Iterable[tuple[Any, ...]]) -> dict[bytes, Listed]:
    found = {}
    for identity, name, key, rights, since, used in rows:
        granted = frozenset(cast(Right, one) for one in str(rights).split(","))
        found[bytes(key)] = Listed(Machine(str(identity), str(name), granted), str(since), used)
    return found


def new_token() -> str:
    """256 random bits, in letters; the beginning says what it is."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    """What is kept of a token."""
    return sha256(token.encode(errors="surrogatepass")).digest()
