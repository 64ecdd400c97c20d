"""How to connect to a broker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sync.broker import Address, Login
from sync.expiry import Facts


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when we vanish without a word."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Settings:
    """How to connect. `session_s` above 0 asks the broker to keep our subscriptions and what
    arrives for them while we are away, and not to start clean. `hold` above 0 asks it to send at
    most so many messages that were not released, `largest` above 0 to send none of more bytes:
    nobody can then fill our memory. `facts` is asked for the time when a certificate is not
    accepted."""

    address: Address
    client_id: str
    login: Login = field(default_factory=Login)
    will: Will | None = None
    session_s: int = 0
    hold: int = 0
    largest: int = 0
    keep_alive_s: int = 20
    facts: Callable[[], Facts] = lambda: Facts(time.time())
