"""PINs: which are taken, and how they are kept so that web.db alone betrays none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import threading
from dataclasses import dataclass

from edge.access.denied import Denied
from edge.access.person import Role
from edge.access.secret import Secret

LONGEST = 12
SHORTEST: dict[Role, int] = {"operator": 4, "lead": 6, "engineer": 6}
RUNS = ("01234567890", "09876543210")
COMMON = ("2580", "0852", "1379", "147258", "159753", "147258369", "112233", "1122", "1004")
"""Beyond the patterns below: what fingers draw on a pad."""


@dataclass(frozen=True, slots=True)
class Cost:
    """scrypt's parameters. The default takes 32 MiB and about 0.1 s on a small x86 machine: a PIN
    has few digits, so that each guess must be dear. RFC 7914."""

    n: int = 1 << 15
    r: int = 8
    p: int = 1


def check_rules(pin: str, role: Role, number: str) -> None:
    """Raises Denied("weak_pin") for a PIN that this role may not have.

    4 digits for operators, 6 for those who may change persons; no run, no repetition, not the
    number itself.
    """
    if not (pin.isascii() and pin.isdigit() and SHORTEST[role] <= len(pin) <= LONGEST):
        raise Denied("weak_pin", f"a PIN has {SHORTEST[role]} to {LONGEST} digits ({role})")
    runs = any(pin in run for run in RUNS)
    repeats = any(pin == (pin[:length] * 12)[: len(pin)] for length in (1, 2, 3))
    if runs or repeats or pin in COMMON or number in (pin, pin[::-1]):
        raise Denied("weak_pin", "a PIN that anybody would try first")


def long_enough(pin: str) -> bool:
    """Whether the length will do for every role."""
    return len(pin) >= max(SHORTEST.values())


class Pins:
    """Makes and compares the hashes of PINs, one at a time in the whole process: however many ask
    at once, one core at most is busy with it."""

    def __init__(self, secret: Secret, cost: Cost | None = None) -> None:
        self._secret = secret
        self._cost = cost or Cost()
        self._one = threading.Lock()
        self._nobody = self.hash("0")

    def hash(self, pin: str) -> str:
        """What is kept: the parameters, a fresh salt, the hash."""
        salt, cost = os.urandom(16), self._cost
        derived = self._derive(pin, salt, cost)
        words = (str(cost.n), str(cost.r), str(cost.p), _text(salt), _text(derived))
        return "scrypt$" + "$".join(words)

    def same(self, pin: str, kept: str | None) -> bool:
        """Whether it is the PIN. With None (nobody has that number) it is not, after the same
        work."""
        _, n, r, p, salt, derived = (kept or self._nobody).split("$")
        cost = Cost(int(n), int(r), int(p))
        found = self._derive(pin, base64.b64decode(salt), cost)
        return hmac.compare_digest(found, base64.b64decode(derived)) and kept is not None

    def _derive(self, pin: str, salt: bytes, cost: Cost) -> bytes:
        keyed = self._secret.hash("pin", pin.encode())
        with self._one:
            return hashlib.scrypt(
                keyed,
                salt=salt,
                n=cost.n,
                r=cost.r,
                p=cost.p,
                maxmem=256 * cost.r * (cost.n + cost.p + 32),
                dklen=32,
            )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
