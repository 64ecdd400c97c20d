"""Commands work in the state directory as its owner, or not at all.

SQLite's readers leave files beside the database. One left by another user would stop the next
start of the service.
"""

from __future__ import annotations

import os
import pwd
import shlex
import sys
from pathlib import Path

from edge.store.errors import NotOwner


def become_owner(state_dir: Path) -> None:
    """Make this process the owner of the state directory: root drops to it, for good.

    Raises NotOwner for any other user; its hint is the command to type. Does nothing when the
    directory does not exist yet: then there is nothing to disturb.
    """
    try:
        owner = state_dir.stat()
    except FileNotFoundError:
        return
    except PermissionError as error:
        raise NotOwner(f"{state_dir}: {error.strerror}", _try_sudo("root")) from error
    me = os.geteuid()
    if me == owner.st_uid:
        return
    name = _name(owner.st_uid)
    if me != 0:
        raise NotOwner(f"{state_dir} belongs to the user {name}", _try_sudo(name))
    _drop(owner.st_uid, owner.st_gid, name)


def _drop(uid: int, gid: int, name: str) -> None:
    # Groups first: without root's rights they could not be changed any more.
    os.initgroups(name, gid)
    os.setgid(gid)
    os.setuid(uid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def _try_sudo(name: str) -> str:
    # The program has this name however it was started, such as by `python -m edge`.
    return shlex.join(["sudo", "-u", name, "edge-inspect", *sys.argv[1:]])
