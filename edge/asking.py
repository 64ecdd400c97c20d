"""How a command has the line do something, whether the line runs or not.

While the line is stopped its lock is free: the command takes it and writes with the line's own
code. Otherwise it leaves a request and waits for the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from edge.clock import Clock
from edge.requests import Answer, Request, ask
from edge.status import account
from edge.store.errors import Held
from edge.store.owner import become_owner

if TYPE_CHECKING:
    from edge.config import Config


def ask_line(
    config: Config, kind: str, arguments: Mapping[str, object], by: str | None
) -> Answer | None:
    """The line's answer (`ok`, and `message` where it is false); None when it is still waiting.

    Must be called before anything else is opened: root becomes the owner of the state directory.
    Raises NotOwner, ConfigError, sqlite3.Error, OSError.
    """
    typed_by = account()
    become_owner(config.state_dir)
    request = Request(Clock().new_id(), kind, dict(arguments), by, typed_by)
    from edge.wiring import build

    try:
        line = build(config)
    except Held:
        return ask(config.state_dir / "requests" / "line", request)
    return line.apply(request)
