"""What `fleet keys` does."""

from __future__ import annotations

import json as json_module
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from edge.cli.errors import USAGE, fail, say
from edge.cli.fleeting import central_errors, passphrase

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.ordering import Office
    from sync.fleet.ceremony import Offer, Pending
    from sync.fleet.change import Change
    from sync.fleet.keys import PublicKey
    from sync.fleet.roles import Roles

ROLES = {
    "root": ("root",),
    "targets": ("targets",),
    "online": ("snapshot", "timestamp"),
    "assignments": ("assignments",),
}
"""What people call roles, and what they are called in signed documents."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, as the command line says."""

    repository: Path
    database: str
    keys: Sequence[Path]
    passphrase_file: Path | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    name: str
    roles: Sequence[str]
    public: Path | None
    thresholds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A change of keys, worked out once the documents are open."""

    places: Places
    words: str
    change: Callable[[Office, Roles], Change]

    def order(self, by: str, reason: str, dry_run: bool) -> None:
        """Give it, and say what came of it."""
        from edge.cli import signing

        signing.change(self, by, reason, dry_run)


def thresholds(texts: Sequence[str] | None) -> dict[str, int]:
    """`root=2` and the like; ends the command for anything else."""
    found: dict[str, int] = {}
    for text in texts or ():
        role, _, number = text.partition("=")
        if role not in ROLES or not re.fullmatch("[1-9][0-9]?", number):
            fail(f"{text!r} is no threshold", f"ROLE=N, with ROLE one of {', '.join(ROLES)}", USAGE)
        found.update(dict.fromkeys(ROLES[role], int(number)))
    return found


def add(places: Places, wish: Wish) -> Step:
    """A key more."""
    from sync.fleet.change import Change
    from sync.fleet.keys import name_of

    roles = _inner(wish.roles)

    def change(desk: Office, documents: Roles) -> Change:
        key = _key(desk, wish.name, wish.public, places)
        if name_of(key) != wish.name:
            fail(f"{wish.public} holds the key {name_of(key)!r}", "a key is called as its file is")
        _alone(desk, documents, key)
        return Change(add={role: [key] for role in roles}, thresholds=wish.thresholds)

    return Step(places, f"{wish.name} may sign {', '.join(wish.roles)}", change)


def revoke(places: Places, wish: Wish) -> Step:
    """A key less."""
    from sync.fleet.change import Change

    def change(desk: Office, documents: Roles) -> Change:
        keyid, roles = _where(desk, documents, wish.name)
        asked = _inner(wish.roles) or roles
        return Change(remove={role: [keyid] for role in asked}, thresholds=wish.thresholds)

    return Step(places, f"{wish.name} signs no more", change)


def rotate(places: Places, wish: Wish, to: str | None) -> Step:
    """One key for another."""
    from sync.fleet.change import Change

    new = wish.public.stem if wish.public is not None else to or _next_name(wish.name)

    def change(desk: Office, documents: Roles) -> Change:
        keyid, roles = _where(desk, documents, wish.name)
        key = _key(desk, new, wish.public, places, sealed=not {*roles} & _ONLINE)
        _alone(desk, documents, key)
        return Change({role: [key] for role in roles}, {role: [keyid] for role in roles})

    return Step(places, f"{new} signs instead of {wish.name}", change)


def change_thresholds(places: Places, wish: Wish) -> Step:
    """Another number of signatures."""
    from sync.fleet.change import Change

    said = ", ".join(f"{role} needs {number}" for role, number in wish.thresholds.items())
    return Step(places, said, lambda *_: Change(thresholds=wish.thresholds))


def show(repository: Path, database: str, json: bool) -> None:
    """`keys list`."""
    from edge.cli import signing

    with central_errors():
        content = signing.content(repository, database)
    if json:
        typer.echo(json_module.dumps(content))
        return
    for role in content["roles"]:
        held = [f"{one['name']}{'' if one['here'] else ' (elsewhere)'}" for one in role["keys"]]
        ends = f", until {role['until'][:10]}" if role["until"] else ""
        typer.echo(f"{role['role']:<12} {role['threshold']} of {', '.join(held)}{ends}")
    for one in content["pending"]:
        signed = f"signed by {', '.join(one['signed'])}" if one["signed"] else "signed by nobody"
        more = f"{one['missing']} more of {', '.join(one['may'])}" if one["missing"] else "enough"
        typer.echo(f"waits: {one['role']} {one['version']}, {signed}; {more}")
        for change in one["changes"]:
            typer.echo(f"  {change}")


def sign(places: Places, by: str, what: str, dry_run: bool, json: bool) -> None:
    """`keys sign`, with `what` being sign, renew or discard."""
    from edge.cli import signing

    answer = signing.sign(places, by, what, dry_run)
    if json:
        typer.echo(json_module.dumps(answer))


def export_root(repository: Path, out: Path | None) -> None:
    """The newest root that is in the folder: a copy, which every order brings up to date."""
    with central_errors():
        from sync.fleet.folder import Folder

        folder = Folder(repository)
        folder.check()
        roots = folder.roots()
    body = roots[max(roots)]
    if out is None:
        typer.echo(body.decode())
        return
    from edge.files import write_atomically

    write_atomically(out, body, mode=0o644)
    say(f"{out}: root {max(roots)}; bring it to each station by hand (sync.trust_root_file)")


def said(one: Pending) -> dict[str, Any]:
    """As JSON."""
    return {
        "role": one.role,
        "version": one.version,
        "signed": list(one.signed),
        "may": list(one.may),
        "missing": one.missing,
        "changes": list(one.changes),
    }


def lacks(offer: Offer) -> str:
    """Which documents an offer changes, in words."""
    return " and ".join(role for role in ("root", "targets") if getattr(offer, role) is not None)


_ONLINE = {"snapshot", "timestamp", "assignments"}


def _inner(roles: Sequence[str]) -> list[str]:
    found: list[str] = []
    for role in roles:
        if role not in ROLES:
            fail(f"{role!r} is no role", f"one of {', '.join(ROLES)}", USAGE)
        found += ROLES[role]
    return found


def _key(
    desk: Office, name: str, public: Path | None, places: Places, sealed: bool = True
) -> PublicKey:
    """The public half given; else that of a new key in the repository's folder. One that is there
    already (an earlier try was cut off) is taken."""
    from sync.fleet.keys import make, read_public

    if public is not None:
        return read_public(public)
    there = desk.repository.folder.keys / f"{name}.pub"
    if there.exists():
        return read_public(there)
    desk.repository.ring.add(desk.keys)  # in a dry run it is another than the folder's
    made = make(desk.keys, name, passphrase(places.passphrase_file) if sealed else None)
    if sealed and not desk.dry_run:
        private = desk.keys / f"{name}.pem"
        say(f"{private} is its private key → move it to where its person keeps it")
    return made


def _where(desk: Office, documents: Roles, name: str) -> tuple[str, list[str]]:
    """The id of the key of this name, and the roles that it signs; ends the command for none."""
    from edge.cli import signing

    table = signing.table(desk.repository, documents)
    known = {keyid: called for keys in table.values() for keyid, called in keys.items()}
    ids = {keyid for keyid, called in known.items() if name in (called, keyid)}
    if len(ids) > 1:
        fail(
            f"{len(ids)} keys are called {name!r}", f"give the id of one: {', '.join(sorted(ids))}"
        )
    if not ids:
        fail(f"no key is called {name!r}", "edge-inspect fleet keys list")
    (keyid,) = ids
    return keyid, [role for role, keys in table.items() if keyid in keys]


def _alone(desk: Office, documents: Roles, key: PublicKey) -> None:
    """Ends the command where another key has this one's name: revoking goes by names."""
    from edge.cli import signing
    from sync.fleet.keys import name_of

    name = name_of(key)
    for keys in signing.table(desk.repository, documents).values():
        if any(called == name and keyid != key.keyid for keyid, called in keys.items()):
            fail(f"another key is called {name!r}", "give this one a name of its own")


def _next_name(name: str) -> str:
    found = re.fullmatch(r"(.*?)(?:\.(\d+))?", name)
    assert found is not None
    return f"{found[1]}.{int(found[2] or 1) + 1}"
