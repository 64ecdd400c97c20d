"""Signing in: number and PIN, a badge, the one-time code of the first start."""

from __future__ import annotations

import hmac
import secrets
import threading

from edge.access import words
from edge.access.attempts import Attempts, Lockout
from edge.access.denied import Denied
from edge.access.person import Person
from edge.access.pins import LONGEST, Pins
from edge.access.register import Entry, Register
from edge.access.reporting import Clock, Reporting
from edge.access.secret import Secret
from edge.access.store import WebStore
from edge.log import log
from edge.records import utc

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Nothing that can be taken for something else."""
CODE_LETTERS = 12
CODES_KEPT = 5
REPORTS = 20
REPORT_EVERY_S = 180.0


class Door:
    """Who is let in. Thread-safe; one try at a time.

    Whether a number is anybody's cannot be learned here: an unknown number costs the same time,
    gets the same answer and the same waits as a wrong PIN.
    """

    def __init__(
        self,
        store: WebStore,
        register: Register,
        pins: Pins,
        attempts: Attempts,
        secret: Secret,
        reporting: Reporting,
        clock: Clock,
    ) -> None:
        self._store = store
        self._register = register
        self._pins = pins
        self._attempts = attempts
        self._secret = secret
        self._reporting = reporting
        self._clock = clock
        self._lock = threading.Lock()
        self._budget = float(REPORTS)
        self._budget_ns = clock.monotonic_ns()
        self._left_out = 0

    def by_pin(self, number: str, pin: str, address: str) -> Entry:
        """Raises Denied: "wrong", or "wait" where a wait has begun or not passed."""
        typed = number if number.isascii() and number.isdigit() else ""
        typed = typed[: words.NUMBER_LONGEST + 1]
        with self._lock:
            self._attempts.admit(typed, address)
            found = self._register.of_number(typed)
            if not self._pins.same(pin[: LONGEST + 1], None if found is None else found.pin):
                self._wrong(typed, address, found)
            assert found is not None
            self._attempts.right(typed, address)
            return found

    def by_badge(self, text: str, address: str) -> Entry:
        """Raises Denied. A number that has to wait may come in by badge all the same."""
        with self._lock:
            self._attempts.admit(None, address)
            found = self._register.of_badge(self.badge_hash(text[: words.BADGE_LONGEST]))
            if found is None:
                self._wrong(None, address, None)
            assert found is not None
            self._attempts.right(None, address)
            return found

    def by_code(self, code: str, address: str) -> None:
        """Whether this is a one-time code that has not been used; it stays valid until
        `spend_codes`. Raises Denied."""
        with self._lock:
            self._attempts.admit(None, address)
            kept = [bytes(one) for (one,) in self._store.rows("SELECT hash FROM codes")]
            typed = code_hash(self._secret, code)
            if not any([hmac.compare_digest(typed, one) for one in kept]):
                self._wrong(None, address, None)

    def arrived(self, person: Person, by: str) -> None:
        """Note in the chain that somebody has signed in, by `pin` or `badge`."""
        self._reporting.mention("sign_in", person.id, **{"with": by})

    def new_code(self) -> str:
        """A further one-time code; the last few stay valid, in case the first was noted down."""
        code = new_code()
        self.keep_code(code_hash(self._secret, code))
        return code

    def keep_code(self, code: bytes) -> None:
        """Let a code in of which only the hash is known."""
        with self._store.atomically() as database:
            at = utc(self._clock.wall())
            database.execute("INSERT OR REPLACE INTO codes VALUES (?, ?)", (code, at))
            database.execute(
                "DELETE FROM codes WHERE hash NOT IN"
                " (SELECT hash FROM codes ORDER BY at DESC, hash LIMIT ?)",
                (CODES_KEPT,),
            )

    @property
    def codes(self) -> int:
        """How many are valid."""
        return int(self._store.rows("SELECT count(*) FROM codes")[0][0])

    def spend_codes(self) -> None:
        """No code is valid any more."""
        self._store.write("DELETE FROM codes")

    def badge_hash(self, text: str) -> bytes:
        """What is kept of a badge."""
        return self._secret.hash("badge", text.strip().encode(errors="surrogatepass"))

    def _wrong(self, number: str | None, address: str, found: Entry | None) -> None:
        in_a_row, lockouts = self._attempts.wrong(number, address)
        about = None if found is None else found.person.id
        log.warning("access.wrong", address=address, in_a_row=in_a_row)
        if in_a_row == 1 and not lockouts:
            self._note("refused", about)
        for one in lockouts:
            log.warning("access.locked_out", what=one.what, address=address, wait_s=one.wait_s)
            self._note("locked_out", about if one.what == "number" else None, one)
        if lockouts:
            raise Denied("wait", "too many wrong tries", max(one.wait_s for one in lockouts))
        raise Denied("wrong", "wrong number, PIN, badge or code")

    def _note(self, action: str, about: str | None, lockout: Lockout | None = None) -> None:
        """Into the chain, but never more than 20 and then one every 3 minutes: a flood of wrong
        guesses fills no disk. How many were left out is said with the next one."""
        now = self._clock.monotonic_ns()
        grown = (now - self._budget_ns) / 1e9 / REPORT_EVERY_S
        self._budget, self._budget_ns = min(float(REPORTS), self._budget + grown), now
        if self._budget < 1:
            self._left_out += 1
            return
        self._budget -= 1
        details: dict[str, object] = {}
        if lockout is not None:
            details = {"what": lockout.what, "wrong": lockout.wrong, "wait_s": lockout.wait_s}
        if self._left_out:
            details["left_out"] = self._left_out
        self._left_out = 0
        self._reporting.mention(action, None, about, **details)


def new_code() -> str:
    """A one-time code: 59 random bits, in letters that can be read aloud."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS))
    return "-".join(letters[at : at + 4] for at in range(0, CODE_LETTERS, 4))


def code_hash(secret: Secret, code: str) -> bytes:
    """What is kept of it; how it is spaced and written, large or small, does not matter."""
    plain = "".join(letter for letter in code.upper()[:64] if letter in ALPHABET)
    return secret.hash("code", plain.encode())
