"""Wrong PINs, badges and codes: counted by number and by address, each with a growing wait.

Every wait is bounded and a refusal during a wait counts as nothing: nobody can be locked out for
ever. Where somebody has signed in within 30 days (the tablets of the line) numbers are counted
apart, so that guessing from elsewhere locks nobody out at their own tablet.
"""

from __future__ import annotations

import ipaddress
import threading
from dataclasses import dataclass, replace
from typing import Literal

from edge.access.denied import Denied
from edge.access.reporting import Clock
from edge.access.store import WebStore

FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 900.0
NUMBER_FREE = 5
NUMBER_FORGOTTEN_S = 24 * 3600.0
ADDRESS_FREE = 20
ADDRESS_LEAK_S = 60.0
ALL_FREE = 60
ALL_LEAK_S = 5.0
PLACE_KEPT_S = 30 * 24 * 3600.0
PLACE_WRITTEN_S = 3600.0
MOST = 2000
MOST_PLACES = 256
ANYWHERE = "*"
What = Literal["number", "address"]


@dataclass(frozen=True, slots=True)
class Lockout:
    """A wait that has just begun."""

    what: What
    wrong: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class _Tries:
    wrong: float = 0.0
    last_ns: int = 0
    until_ns: int = 0


class Attempts:
    """Who has to wait. Kept in web.db: a restart forgives nothing. Thread-safe.

    Monotonic times: no jump of the clock shortens a wait. After a reboot what was left of a wait
    is not known; it begins again.
    """

    def __init__(self, store: WebStore, clock: Clock, boot_id: str) -> None:
        self._store = store
        self._clock = clock
        self._boot_id = boot_id
        self._lock = threading.Lock()
        self._tries = {key: kept for key, kept in self._read()}
        self._places = {str(a): float(b) for a, b in store.rows("SELECT * FROM places")}
        self._all = _Tries()

    def admit(self, number: str | None, address: str) -> None:
        """Raises Denied("wait") where a wait has not passed. `number` is None for badges and
        codes: they name nobody."""
        with self._lock:
            now, place = self._clock.monotonic_ns(), place_of(address)
            waits = [self._kept(key).until_ns - now for key in self._keys(number, place)]
            if place not in self._trusted():
                level = _leaked(self._all, now, ALL_LEAK_S)
                waits.append(int((level - ALL_FREE + 1) * ALL_LEAK_S * 1e9))
            if (longest := max(waits)) > 0:
                raise Denied("wait", "too many wrong tries", wait_s=longest / 1e9)

    def wrong(self, number: str | None, address: str) -> tuple[int, list[Lockout]]:
        """Count one; how many in a row for this number, and the waits that it begins."""
        with self._lock:
            now, place = self._clock.monotonic_ns(), place_of(address)
            if place not in self._trusted():
                self._all = _Tries(_leaked(self._all, now, ALL_LEAK_S) + 1, now)
            found: list[Lockout] = []
            changed: dict[str, _Tries] = {}
            for key in self._keys(number, place):
                what: What = "number" if key.startswith("n:") else "address"
                changed[key], begun = _counted(what, self._kept(key), now)
                found += [begun] if begun else []
            self._write(changed)
            in_a_row = max(int(kept.wrong) for key, kept in changed.items())
            if number is not None:
                in_a_row = int(changed[_number_key(number, self._where(place))].wrong)
            return in_a_row, found

    def right(self, number: str | None, address: str) -> None:
        """The right PIN (or badge) ends the count of this number here, and makes the address one
        that is known. The count of the address stays: one's own PIN pays for no guesses."""
        with self._lock:
            place, wall = place_of(address), self._clock.wall()
            if number is not None:
                for where in {self._where(place), place}:
                    key = _number_key(number, where)
                    if self._tries.pop(key, None) is not None:
                        self._store.write("DELETE FROM tries WHERE key = ?", (key,))
            if not 0 <= wall - self._places.get(place, -PLACE_WRITTEN_S) < PLACE_WRITTEN_S:
                self._places[place] = wall
                self._keep_places()

    def forgive(self, number: str) -> None:
        """Everything about a number is forgotten, wherever it was tried: a lead has given it a new
        PIN, or it belongs to nobody any more."""
        with self._lock:
            for key in [one for one in self._tries if one.startswith(f"n:{number}@")]:
                del self._tries[key]
                self._store.write("DELETE FROM tries WHERE key = ?", (key,))

    def _keys(self, number: str | None, place: str) -> list[str]:
        keys = [f"a:{place}"]
        return keys if number is None else [*keys, _number_key(number, self._where(place))]

    def _where(self, place: str) -> str:
        return place if place in self._trusted() else ANYWHERE

    def _trusted(self) -> set[str]:
        wall = self._clock.wall()
        return {one for one, last in self._places.items() if abs(wall - last) < PLACE_KEPT_S}

    def _kept(self, key: str) -> _Tries:
        return self._tries.get(key, _Tries())

    def _write(self, changed: dict[str, _Tries]) -> None:
        self._tries.update(changed)
        with self._store.atomically() as database:
            for key, kept in changed.items():
                database.execute(
                    "INSERT OR REPLACE INTO tries VALUES (?, ?, ?, ?, ?)",
                    (key, kept.wrong, kept.last_ns, kept.until_ns, self._boot_id),
                )
            for key in sorted(self._tries, key=lambda one: self._tries[one].last_ns)[:-MOST]:
                del self._tries[key]
                database.execute("DELETE FROM tries WHERE key = ?", (key,))

    def _read(self) -> list[tuple[str, _Tries]]:
        now, found = self._clock.monotonic_ns(), []
        for key, wrong, last_ns, until_ns, boot_id in self._store.rows("SELECT * FROM tries"):
            kept = _Tries(float(wrong), int(last_ns), int(until_ns))
            if boot_id != self._boot_id:
                what: What = "number" if key.startswith("n:") else "address"
                kept = _Tries(kept.wrong, now, now + int(_wait_s(what, kept.wrong) * 1e9))
            found.append((str(key), kept))
        return found

    def _keep_places(self) -> None:
        trusted = self._trusted()
        known = [one for one in self._places.items() if one[0] in trusted]
        kept = sorted(known, key=lambda one: one[1])[-MOST_PLACES:]
        self._places = dict(kept)
        with self._store.atomically() as database:
            database.execute("DELETE FROM places")
            database.executemany("INSERT INTO places VALUES (?, ?)", kept)


def place_of(address: str) -> str:
    """Whom an address stands for: of IPv6 its network of 64 bits, which one machine may fill."""
    try:
        found = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False).network_address) + "/64"
    return str(found)


def _number_key(number: str, where: str) -> str:
    return f"n:{number}@{where}"


def _counted(what: What, kept: _Tries, now: int) -> tuple[_Tries, Lockout | None]:
    if what == "address":
        kept = replace(kept, wrong=_leaked(kept, now, ADDRESS_LEAK_S))
    elif now - kept.last_ns > NUMBER_FORGOTTEN_S * 1e9:
        kept = _Tries()
    wrong = kept.wrong + 1
    wait_s = _wait_s(what, wrong)
    counted = _Tries(wrong, now, now + int(wait_s * 1e9) if wait_s else kept.until_ns)
    return counted, Lockout(what, int(wrong), wait_s) if wait_s else None


def _wait_s(what: What, wrong: float) -> float:
    """30 s at the fifth wrong PIN of a number, twice as long at each further one, 15 min at most;
    for an address from the twentieth on, twice as long every five."""
    free, step = (NUMBER_FREE, 1.0) if what == "number" else (ADDRESS_FREE, 5.0)
    if wrong < free:
        return 0.0
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min((wrong - free) / step, 16)))


def _leaked(kept: _Tries, now: int, leak_s: float) -> float:
    return max(0.0, kept.wrong - (now - kept.last_ns) / 1e9 / leak_s)
