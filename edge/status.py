"""How a service is, from the file that it renews every second."""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.statusfile import STALE_S, StatusFile

if TYPE_CHECKING:
    from edge.config import Config

LOGIN_ID = Path("/proc/self/loginuid")
NO_LOGIN = 2**32 - 1


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service: what it said last, how long ago, and whether it still lives.

    `missed` is false for one that nobody needs now: a page that was stopped while nothing waits.
    """

    service: str
    content: Mapping[str, object]
    age_s: float | None
    running: bool
    missed: bool = True

    @property
    def word(self) -> str:
        """`ok`, `degraded` or `stopped`."""
        if not self.running:
            return "stopped"
        return "ok" if self.content.get("state") == "ok" else "degraded"


def of_station(config: Config) -> list[ServiceStatus]:
    """All services that are expected: the line, sync where it is configured, and the page where it
    has run (since this machine started, if its status files lie in /run).

    A page that was stopped in good order is missed only while parts wait for persons.
    """
    line, web = of_service(config, "line"), of_service(config, "web")
    found = [line, of_service(config, "sync")] if config.sync else [line]
    if web.age_s is None:
        return found
    rests = web.content.get("state") == "stopped" and not line.content.get("open_escalations")
    return [*found, replace(web, missed=not rests)]


def of_service(config: Config, service: str) -> ServiceStatus:
    """Read the status file of `line`, `sync` or `web`. A missing file means stopped."""
    file = StatusFile(config.status_folder, service)
    content = file.read()
    if content is None:
        return ServiceStatus(service, {}, None, False)
    try:
        age_s = max(0.0, time.time() - file.path.stat().st_mtime)
    except OSError:
        return ServiceStatus(service, {}, None, False)
    alive = age_s < STALE_S and content.get("state") != "stopped" and _alive(content.get("pid"))
    return ServiceStatus(service, content, age_s, alive)


def as_json(statuses: list[ServiceStatus]) -> str:
    """All services as one JSON object."""
    word = overall(statuses)
    services = {
        status.service: {"state": status.word, "age_s": status.age_s, **dict(status.content)}
        | {"state": status.word}
        for status in statuses
    }
    return json.dumps({"schema": "status/1", "state": word, "services": services})


def overall(statuses: list[ServiceStatus]) -> str:
    """`stopped` without a line, `ok` when every service is, else `degraded`."""
    words = {one.service: one.word for one in statuses if one.running or one.missed}
    if words.get("line") != "ok":
        return words.get("line", "stopped")
    return "ok" if set(words.values()) == {"ok"} else "degraded"


def account() -> str:
    """The Unix account that typed the command, also behind sudo.

    The kernel's login id, which nobody can change afterwards; where there was no login (a service,
    a container) what sudo says, else the account of this process.
    """
    login = _login_id()
    if login is None and (named := os.environ.get("SUDO_USER")):
        return named
    number = os.getuid() if login is None else login
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"#{number}"


def _login_id() -> int | None:
    try:
        login = int(LOGIN_ID.read_text())
    except (OSError, ValueError):
        return None
    return None if login == NO_LOGIN else login


def _alive(pid: object) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
