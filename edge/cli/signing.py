"""Orders about keys and signatures, given for `fleet keys`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.errors import fail, say
from edge.cli.fleeting import central_errors, passphrase
from edge.cli.keyring import ROLES, Places, Step, lacks, said

if TYPE_CHECKING:
    from edge.ordering import Office
    from sync.fleet.repository import Repository
    from sync.fleet.roles import Roles


def change(step: Step, by: str, reason: str, dry_run: bool) -> None:
    """Sign the next root with the keys at hand, and give it; it waits where they are too few."""
    with central_errors():
        from edge.ordering import new_order, office
        from sync.fleet.ceremony import Ceremony

        places = step.places
        phrase = passphrase(places.passphrase_file)
        with office(places.repository, places.database, places.keys, phrase, dry_run) as desk:
            with desk.database.transaction() as connection:
                roles = desk.roles(connection)
                wanted = step.change(desk, roles)
                offer = Ceremony(desk.repository).changed(roles, wanted)
            order = new_order("offer", by, {**offer.as_json(), "reason": reason})
            words = f"{step.words}: a new {lacks(offer)}" if dry_run else step.words
            _tell(words, desk.give(order), dry_run)


def strike(places: Places, begin: str, by: str, reason: str, dry_run: bool) -> None:
    """Sign the list of bundles without one of them, and give it."""
    with central_errors():
        from edge.ordering import new_order, office
        from sync.fleet.ceremony import Ceremony
        from sync.fleet.models import models

        phrase = passphrase(places.passphrase_file)
        with office(places.repository, places.database, places.keys, phrase, dry_run) as desk:
            with desk.database.transaction() as connection:
                roles = desk.roles(connection)
                found = [
                    one for one in models(connection) if one.listed and one.digest.startswith(begin)
                ]
                if len(found) != 1:
                    fail(
                        f"{len(found)} listed bundles begin with {begin!r}",
                        "edge-inspect fleet models --json",
                    )
                offer = Ceremony(desk.repository).striking(roles, found[0].digest)
            words = f"{found[0].name} {found[0].version} is struck off the list"
            order = new_order("offer", by, {**offer.as_json(), "reason": reason})
            _tell(words, desk.give(order), dry_run)


def sign(places: Places, by: str, what: str, dry_run: bool) -> Mapping[str, Any]:
    """Add signatures, begin a renewal, or drop what waits."""
    with central_errors():
        from edge.ordering import new_order, office

        phrase = passphrase(places.passphrase_file)
        with office(places.repository, places.database, places.keys, phrase, dry_run) as desk:
            kind, body, words, changes = _wanted(desk, what)
            for change in changes:
                say(f"  {change}")
            answer = _tell(words, desk.give(new_order(kind, by, body)), dry_run)
            return {"dry_run": True} if dry_run else answer


def content(repository: Path, database: str) -> dict[str, Any]:
    """`keys list` as JSON."""
    from edge.ordering import office
    from sync.fleet.ceremony import Ceremony

    with office(repository, database) as desk, desk.database.transaction() as connection:
        roles = desk.roles(connection)
        held = {one.public.keyid for one in desk.repository.ring.found() if one.private is not None}
        names, ends = table(desk.repository, roles), desk.repository.ends(connection)
        shown = []
        for role, inner in ROLES.items():
            keys = [{"name": n, "id": k, "here": k in held} for k, n in names[inner[0]].items()]
            number = desk.repository.threshold(roles, inner[0])
            shown.append(
                {"role": role, "threshold": number, "keys": keys, "until": ends.get(inner[-1])}
            )
        pending = [said(one) for one in Ceremony(desk.repository).pending(roles)]
        return {"roles": shown, "pending": pending, "root": len(roles.history("root"))}


def table(repository: Repository, roles: Roles) -> dict[str, dict[str, str]]:
    """The keys of each role: name by id."""
    from sync.fleet.keys import name_of

    return {
        role: {keyid: name_of(key) for keyid, key in keys.items()}
        for role, keys in repository.keys(roles).items()
    }


def _wanted(desk: Office, what: str) -> tuple[str, dict[str, object], str, list[str]]:
    """Kind and body of the order, words for it, and what the documents change that it is about."""
    from sync.fleet.ceremony import Ceremony

    ceremony = Ceremony(desk.repository)
    with desk.database.transaction() as connection:
        roles = desk.roles(connection)
        if what == "renew":
            offer = ceremony.renewed(roles).as_json()
            return "offer", offer, "root and targets, for a year more", []
        waiting = ceremony.pending(roles)
        if not waiting:
            fail("nothing waits for signatures", "edge-inspect fleet keys list")
        changes = [
            f"{one.role} {one.version} {change}" for one in waiting for change in one.changes
        ]
        if what == "discard":
            return "discard", {}, "what waited is dropped", changes
        made = ceremony.signatures(roles)
    if not made:
        may = ", ".join(sorted({name for one in waiting for name in one.may}))
        fail(
            f"none of the keys at hand is missing on it; these are: {may}",
            "--keys FOLDER, where one of them is",
        )
    names = " and ".join(one.role for one in waiting)
    return "sign", {"signatures": made}, f"{names} signed", changes


def _tell(words: str, answer: Mapping[str, Any] | None, dry_run: bool) -> Mapping[str, Any]:
    if answer is None:
        fail(
            "the order waits: whoever holds the database has not answered",
            "start `edge-inspect fleet serve --repository …`; it is carried out then, once",
        )
    if dry_run:
        words = f"{words} (nothing changed)"
    if answer.get("missing"):
        more = (
            "1 more signature" if answer["missing"] == 1 else f"{answer['missing']} more signatures"
        )
        say(f"{words}; it waits for {more}")
        say("  → edge-inspect fleet keys sign, by somebody else")
        return answer
    say(words)
    for rollout in answer.get("begun") or ():
        say(f"  {rollout} begins")
    return answer
