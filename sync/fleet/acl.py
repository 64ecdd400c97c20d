"""Who may write and read what at the broker, as an access file of mosquitto. Pure.

A station is known by its user name, which is its path `site/line/station`: from its password, or
from the common name of its certificate (`use_identity_as_username true`). So one file holds for all
stations, also for those to come. What nobody is allowed is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sync.topics import ROOT

HEADER = "# Written by: edge-inspect fleet acl"
STATIONS_WRITE = (
    "status",
    "results/#",
    "pictures/#",
    "alarms/#",
    "metrics/#",
    "model/state",
    "model/want",
    "check",
)
STATIONS_READ = ("ack/#", "rewind", "model/assignment", "model/chunk/#", "check")
COLLECTORS_WRITE = ("ack/#", "rewind")
PUBLISHERS_WRITE = ("model/assignment", "model/chunk/#")
_USER = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
_SITE = re.compile(r"[a-z0-9_-]{1,64}")


class AclError(ValueError):
    """A name that cannot stand in an access file; the message says why."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """The user by whom a plant's broker speaks to the fleet's, and the site it speaks for."""

    user: str
    site: str

    @classmethod
    def parse(cls, text: str) -> Bridge:
        """Read `USER=SITE`. Raises AclError."""
        user, equals, site = text.partition("=")
        if not equals or not _SITE.fullmatch(site):
            raise AclError(
                f"{text!r} is not a bridge: expected USER=SITE, such as bridge-a=plant-a"
            )
        return cls(user, site)


def mosquitto(
    collectors: Sequence[str],
    readers: Sequence[str] = (),
    bridges: Sequence[Bridge] = (),
    publishers: Sequence[str] = (),
) -> str:
    """The access file. Stations write below their own topics, except what only collectors may
    write, acknowledgements and rewinds, and what only publishers may: models. Who collects may also
    publish; without publishers every collector does. Raises AclError.
    """
    alone = [user for user in publishers if user not in collectors]
    users = [*collectors, *alone, *readers, *(bridge.user for bridge in bridges)]
    if not collectors:
        raise AclError("without a collector nobody may acknowledge: name at least one")
    for user in users:
        _check(user)
        if users.count(user) > 1:
            raise AclError(f"{user} is named twice: give each its own user")
    lines = [
        HEADER,
        "# For acl_file of mosquitto 2. A station's user is its site/line/station; a user that is",
        "# not named here and is no such path can do nothing. docs/brokers.md says more.",
        "",
        "# every station, below its own topics",
        *(f"pattern write {ROOT}/%u/{leaf}" for leaf in STATIONS_WRITE),
        *(f"pattern read {ROOT}/%u/{leaf}" for leaf in STATIONS_READ),
    ]
    every = f"{ROOT}/+/+/+"
    for user in (*collectors, *alone):
        roles = {"collector": COLLECTORS_WRITE} if user in collectors else {}
        if user in (publishers or collectors):
            roles["publisher of models"] = PUBLISHERS_WRITE
        written = [f"topic write {every}/{leaf}" for leaves in roles.values() for leaf in leaves]
        lines += _user(", ".join(roles), user, [f"topic read {ROOT}/#", *written])
    for user in readers:
        lines += _user("reads only", user, [f"topic read {ROOT}/#"])
    for bridge in bridges:
        below = f"{ROOT}/{bridge.site}/+/+"
        up = [f"topic write {below}/{leaf}" for leaf in STATIONS_WRITE]
        ours = (*COLLECTORS_WRITE, *PUBLISHERS_WRITE)
        down = [f"topic read {below}/{leaf}" for leaf in ours]
        lines += _user(f"bridge of {bridge.site}", bridge.user, [*up, *down])
    return "\n".join(lines) + "\n"


def is_ours(content: str) -> bool:
    """Whether a file was written here, and nobody's own work is lost when it is written anew."""
    return content.startswith(HEADER)


def _user(what: str, name: str, lines: Iterable[str]) -> list[str]:
    return ["", f"# {what}", f"user {name}", *lines]


def _check(user: str) -> None:
    """A name without `/`: it could be a station's; without `+` and `#`: mosquitto refuses them."""
    if not _USER.fullmatch(user):
        raise AclError(
            f"{user!r} cannot be the user of a collector, publisher, reader or bridge: "
            "1 to 64 of letters, digits and _ . @ -"
        )
