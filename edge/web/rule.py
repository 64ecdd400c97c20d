"""One route and who may use it. Pure.

A route that is not made of a Rule does not exist: `edge/web/routes.py` is the one table of them,
and what it does not name is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from edge.access.person import FRESH, Right

Need = Right | Literal["anyone", "known"]
"""`anyone`: no session. `known`: a session, locked or not; it may say how many wait, no more."""
Method = Literal["GET", "POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A path with its endpoint. `machines`: a token will do too, if it was made for the right.

    `counted`: calls count against the limit for guessing (sign-in, first code, PIN again).
    `quiet`: pages call it by themselves; it does not count as somebody being there, and an idle
    session is locked all the same. `own`: about oneself only; allowed also to somebody who must
    first replace a PIN that another person chose. `heavy`: each call works for long (a picture that
    is made smaller); it has threads of its own, so that a screen full of them holds up no answer.
    """

    method: Method
    path: str
    endpoint: Callable[..., Any]
    needs: Need
    machines: bool = False
    counted: bool = False
    quiet: bool = False
    own: bool = False
    heavy: bool = False

    @property
    def fresh(self) -> bool:
        """Whether the person must have given the PIN just before."""
        return self.needs in FRESH and self.method != "GET"

    @property
    def safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET"
