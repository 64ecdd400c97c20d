"""Sessions: kept here, named by a cookie of which only the hash is stored."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from edge.access.person import Person
from edge.access.reporting import Clock
from edge.access.secret import Secret
from edge.access.store import WebStore
from edge.log import log

LONGEST_S = 12 * 3600.0
FRESH_S = 120.0
WRITTEN_EVERY_S = 30.0
MOST = 200
MOST_EACH = 8


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it is at this moment. `person` is the id; `id` names the session in the log.

    `cookie` is known only where the session has just begun. `csrf` must come back with everything
    that changes something.
    """

    id: str
    key: bytes = field(repr=False)
    person: str
    csrf: str = field(repr=False)
    locked: bool
    fresh_until_ns: int
    ends_ns: int
    cookie: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Kept:
    person: str
    begun_ns: int
    seen_ns: int
    locked: bool
    written_ns: int
    fresh_until_ns: int = 0


class Sessions:
    """Thread-safe. A restart of the service ends no session, a reboot ends all.

    A session that nobody uses for `lock_after_s` is locked, and one ends 12 hours after it began
    (`longest_s`), whatever happens. That the PIN was given just before is forgotten at a restart.
    """

    def __init__(
        self,
        store: WebStore,
        secret: Secret,
        clock: Clock,
        boot_id: str,
        lock_after_s: float,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._store = store
        self._secret = secret
        self._clock = clock
        self._boot_id = boot_id
        self._lock_after_ns = int(lock_after_s * 1e9)
        self._longest_ns = int(longest_s * 1e9)
        self._lock = threading.RLock()
        store.write("DELETE FROM sessions WHERE boot_id != ?", (boot_id,))
        rows = store.rows("SELECT hash, person, begun_ns, seen_ns, locked FROM sessions")
        self._kept = {
            bytes(key): _Kept(str(person), int(begun), int(seen), bool(locked), int(seen))
            for key, person, begun, seen, locked in rows
        }

    def begin(self, person: Person, fresh: bool = False) -> Session:
        """A new session with a new cookie; `fresh` where the PIN was given for it.

        Somebody who has too many loses the oldest.
        """
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            now = self._clock.monotonic_ns()
            self._make_room(person.id)
            kept = _Kept(person.id, now, now, False, now, self._fresh_until(fresh, now))
            key = _key(cookie)
            self._store.write(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, 0)",
                (key, person.id, self._boot_id, now, now),
            )
            self._kept[key] = kept
            return self._shown(key, kept, cookie)

    def find(self, cookie: str) -> Session | None:
        """The session of a cookie; None where there is none (any more). Changes nothing but what
        time has changed: it may be locked by now."""
        return self.again(_key(cookie))

    def again(self, key: bytes) -> Session | None:
        """The same by `Session.key`: for what goes on for long, such as a stream of events."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            now = self._clock.monotonic_ns()
            if now >= kept.begun_ns + self._longest_ns:
                with _kept_from_the_disk():
                    self._drop([key])
                self._kept.pop(key, None)
                return None
            if not kept.locked and now >= kept.seen_ns + self._lock_after_ns:
                with _kept_from_the_disk():
                    self._set_locked(key, kept, True)
            return self._shown(key, kept)

    def seen(self, session: Session) -> None:
        """Somebody is there. A locked session stays locked."""
        with self._lock:
            kept = self._kept.get(session.key)
            if kept is None or kept.locked:
                return
            kept.seen_ns = self._clock.monotonic_ns()
            if kept.seen_ns - kept.written_ns >= WRITTEN_EVERY_S * 1e9:
                with _kept_from_the_disk():
                    self._write(session.key, kept)

    def lock(self, session: Session) -> None:
        """Lock it now."""
        with self._lock:
            kept = self._kept.get(session.key)
            if kept is not None:
                self._set_locked(session.key, kept, True)

    def unlock(self, session: Session, fresh: bool) -> Session | None:
        """The same person has given the PIN (`fresh`) or the badge. None where it has ended."""
        with self._lock:
            kept = self._kept.get(session.key)
            if kept is None or self.again(session.key) is None:
                return None
            now = self._clock.monotonic_ns()
            kept.seen_ns = now
            if fresh:
                kept.fresh_until_ns = self._fresh_until(True, now)
            self._set_locked(session.key, kept, False)
            return self._shown(session.key, kept)

    def fresh(self, session: Session) -> bool:
        """Whether the PIN was given within the last 2 minutes."""
        return self._clock.monotonic_ns() < session.fresh_until_ns

    def end(self, session: Session) -> None:
        """The cookie is worth nothing from now on."""
        with self._lock:
            self._drop([session.key])

    def end_all(self, person: str, but: Session | None = None) -> int:
        """Every session of a person, `but` one; how many there were."""
        with self._lock:
            keys = [key for key, kept in self._kept.items() if kept.person == person]
            keys = [key for key in keys if but is None or key != but.key]
            self._drop(keys)
            return len(keys)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._kept)

    def tidy(self) -> None:
        """Forget those that have ended; called now and then."""
        with self._lock:
            for key in list(self._kept):
                self.again(key)

    def _shown(self, key: bytes, kept: _Kept, cookie: str | None = None) -> Session:
        return Session(
            id=key.hex()[:8],
            key=key,
            person=kept.person,
            csrf=self._secret.hash("csrf", key).hex(),
            locked=kept.locked,
            fresh_until_ns=0 if kept.locked else kept.fresh_until_ns,
            ends_ns=kept.begun_ns + self._longest_ns,
            cookie=cookie,
        )

    def _fresh_until(self, fresh: bool, now: int) -> int:
        return now + int(FRESH_S * 1e9) if fresh else 0

    def _set_locked(self, key: bytes, kept: _Kept, locked: bool) -> None:
        if locked:
            kept.fresh_until_ns = 0
        kept.locked = locked
        self._write(key, kept)

    def _write(self, key: bytes, kept: _Kept) -> None:
        kept.written_ns = kept.seen_ns
        self._store.write(
            "UPDATE sessions SET seen_ns = ?, locked = ? WHERE hash = ?",
            (kept.seen_ns, kept.locked, key),
        )

    def _make_room(self, person: str) -> None:
        self.tidy()
        by_age = sorted(self._kept, key=lambda key: self._kept[key].seen_ns)
        own = [key for key in by_age if self._kept[key].person == person]
        self._drop(own[: max(0, len(own) - MOST_EACH + 1)])
        by_age = [key for key in by_age if key in self._kept]
        self._drop(by_age[: max(0, len(by_age) - MOST + 1)])

    def _drop(self, keys: list[bytes]) -> None:
        if not keys:
            return
        with self._store.atomically() as database:
            database.executemany("DELETE FROM sessions WHERE hash = ?", [(key,) for key in keys])
        for key in keys:
            self._kept.pop(key, None)


@contextlib.contextmanager
def _kept_from_the_disk() -> Iterator[None]:
    """What time does to a session holds whether or not the disk takes it: what is in memory counts,
    and a restart works it out again."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        log.warning("sessions.not_written", error=error)


def _key(cookie: str) -> bytes:
    return sha256(cookie.encode(errors="surrogatepass")).digest()
