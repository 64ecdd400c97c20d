"""What an endpoint is given: who asks, for what, and everything that the service has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.access.person import Machine, Person

if TYPE_CHECKING:
    from starlette.requests import Request

    from edge.access.sessions import Session
    from edge.web.shop import Shop


@dataclass(frozen=True, slots=True)
class Call:
    """One request that has passed the guard. Endpoints are ordinary functions `(call) -> Response`;
    they run in a thread, so they may read files and wait for the disk.

    `body` is the JSON object or the form that came with it, read and bounded by the guard; `who` is
    None only where the rule says `anyone`, or where the session is locked (`known`).
    """

    request: Request
    shop: Shop
    who: Person | Machine | None = None
    session: Session | None = None
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def person(self) -> Person:
        """The person; the guard has made sure that there is one."""
        assert isinstance(self.who, Person)
        return self.who

    def path(self, name: str) -> str:
        """A parameter of the path."""
        return str(self.request.path_params[name])
