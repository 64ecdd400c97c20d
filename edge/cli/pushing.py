"""What `fleet push` does, step by step."""

from __future__ import annotations

import json as json_module
import math
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import typer

from edge.cli.errors import CHECK_FAILED, FAILED, USAGE, fail, say
from edge.cli.fleeting import central_errors, passphrase
from edge.cli.keyring import Places
from edge.cli.targets import Targets, choose, stations
from sync.assignment import BundleFile

if TYPE_CHECKING:
    from edge.ordering import Office
    from inference.bundle import Bundle
    from sync.fleet.plan import Plan
    from sync.fleet.repository import Parcel

TRIES = 3
"""Somebody else may sign something between our look and our order."""
_DIGEST = re.compile(r"[0-9a-f]{8,64}")
_ANY = BundleFile("any", "1.0.0", "0" * 64, "any", "0" * 64, 1, 1, ("0" * 64,))


def share(text: str, option: str) -> float:
    """`10%` or `0.1` as 0.1; ends the command for anything else."""
    try:
        value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        fail(f"{option}: {text!r} is no share", "write 10% or 0.1", USAGE)
    return value


def planned(
    to: Sequence[str],
    strategy: str,
    canary: str,
    waves: str,
    flags: Mapping[str, bool],
    limits: Mapping[str, Any],
    thresholds: Mapping[str, Any],
) -> Plan:
    """The plan; ends the command with words where it cannot be."""
    from sync.fleet.plan import PlanError, parse

    if not all(math.isfinite(one) for one in (*limits.values(), *thresholds.values())):
        fail("a limit is no number", "edge-inspect fleet push --help", USAGE)
    try:
        steps = [float(one.strip().removesuffix("%")) for one in canary.split(",")]
    except ValueError:
        fail(f"--canary: {canary!r} are no percentages", "write 5,25,100", USAGE)
    content = {
        "targets": list(to),
        "strategy": strategy,
        "steps": steps,
        "waves": _waves(waves),
        **flags,
        "limits": dict(limits),
        "thresholds": dict(thresholds),
    }
    with central_errors():
        from sync.fleet.order import OrderRefused, check

        try:
            plan = parse(json_module.dumps(content))
            check(plan, _ANY, "any")
        except (PlanError, OrderRefused) as error:
            fail(str(error), "edge-inspect fleet push --help", USAGE)
    return plan


def ready(name: str, unconfirmed: bool, skip_proof: bool, plan: Plan) -> Parcel:
    """The bundle as a file, once nothing speaks against it; ends the command where something
    does."""
    bundle = _load(name)
    if bundle.unconfirmed and not unconfirmed:
        fail(
            f"{bundle.name} {bundle.version} has guessed fields that nobody vouches for: "
            f"{', '.join(bundle.manifest.guessed)}",
            "edge-inspect model confirm; with --unconfirmed it goes out, but not beyond shadow",
        )
    if bundle.unconfirmed and plan.strategy == "blue-green":
        fail("an unconfirmed bundle cannot rise above shadow", "--strategy shadow", USAGE)
    if not skip_proof:
        _prove(bundle)
    with central_errors():
        from inference.archive import as_zip
        from inference.manifest import to_yaml
        from sync.fleet.repository import Parcel

        manifest = to_yaml(bundle.manifest)
        return Parcel(bundle.name, bundle.version, bundle.digest, manifest, as_zip(bundle))


def pushed(name: str, database: str) -> Parcel | None:
    """The bundle of which this is the beginning of the digest, as it was pushed before; None for a
    name that is none. It was looked at then, and each station proves it in any case."""
    if not _DIGEST.fullmatch(name) or Path(name).exists():
        return None
    with central_errors():
        from edge.cli.fleeting import reading
        from sync.fleet.pushed import parcel

        with reading(database) as central, central.transaction() as connection:
            return parcel(connection, name)


def push(
    parcel: Parcel, plan: Plan, places: Places, by: str, reason: str, dry_run: bool, json: bool
) -> None:
    """Give the order, and say what came of it."""
    with central_errors():
        from edge.ordering import office

        phrase = passphrase(places.passphrase_file)
        with office(places.repository, places.database, places.keys, phrase, dry_run) as desk:
            targets = choose(desk, plan, parcel.digest)
            _say_targets(parcel, plan, targets)
            skipped = targets.skipped()
            if not targets.chosen:
                say("nothing to do → edge-inspect fleet status")
                _print(json, {"stations": 0, "rollout": None, "skipped": skipped})
                return
            answer = _give(desk, parcel, plan, targets, by, reason)
    if dry_run:
        say("nothing changed (--dry-run)")
        names = list(targets.chosen)
        _print(json, {"dry_run": True, "stations": names, "skipped": skipped})
        return
    if answer is None:
        fail(
            "the order waits: whoever holds the database has not answered",
            "start `edge-inspect fleet serve --repository …`; it is carried out then, once",
        )
    _print(json, {**answer, "skipped": skipped})
    _say_answer(answer)


def _give(
    desk: Office, parcel: Parcel, plan: Plan, targets: Targets, by: str, reason: str
) -> Mapping[str, Any] | None:
    from edge.ordering import new_order
    from sync.fleet.order import OrderRefused

    for left in reversed(range(TRIES)):
        body = {
            "rollout": f"{parcel.name}-{parcel.version}-{token_hex(2)}",
            "bundle": {
                "name": parcel.name,
                "version": parcel.version,
                "digest": parcel.digest,
                "manifest": parcel.manifest,
                "sha256": sha256(parcel.data).hexdigest(),
            },
            "plan": plan.as_text(),
            "stations": list(targets.chosen),
            "reason": reason,
            **desk.listing(parcel.as_file()),
        }
        try:
            return desk.give(new_order("push", by, body), parcel.data)
        except OrderRefused as refusal:
            if not left or "meanwhile" not in str(refusal):
                raise
    return None


def _say_targets(parcel: Parcel, plan: Plan, targets: Targets) -> None:
    size = len(parcel.data) / 1e6
    say(f"{parcel.name} {parcel.version} ({parcel.digest[:12]}, {size:.1f} MB), {plan.strategy}")
    say(f"to {stations(len(targets.chosen))}, in waves of {', '.join(plan.waves)}:")
    for line in targets.lines():
        say(line)


def _say_answer(answer: Mapping[str, Any]) -> None:
    rollout, missing = answer["rollout"], answer["missing"]
    if missing:
        say(f"{rollout} waits for {missing} more signature{'' if missing == 1 else 's'}")
        say("  → edge-inspect fleet keys sign, by somebody else with a targets key")
        return
    sizes = ", ".join(str(one) for one in answer["waves"])
    say(f"{rollout} runs: {stations(answer['stations'])} in waves of {sizes}")
    say("  → edge-inspect fleet status; `edge-inspect fleet serve` carries it on")


def _print(json: bool, answer: Mapping[str, Any]) -> None:
    if json:
        typer.echo(json_module.dumps(dict(answer)))


def _prove(bundle: Bundle) -> None:
    from edge.cli.progress import progress
    from edge.cli.proving import in_words
    from inference.proof import Limits, prove

    say(f"proving {bundle.name} {bundle.version} on this machine …")
    with progress("runs") as tell:
        proof = prove(bundle, Limits(), tell=tell)
    say(in_words(bundle, proof))
    if not proof.ok:
        fail(
            f"{bundle.name} {bundle.version} is not proved here",
            "mend the bundle; --skip-proof leaves it to the stations, which prove it too",
            CHECK_FAILED,
        )


def _load(name: str) -> Bundle:
    import models
    from inference.bundle import BundleError, load

    try:
        return load(models.path(name) if name.startswith("@") else Path(name))
    except models.NoSuchBundle as error:
        fail(str(error), "edge-inspect model list", USAGE)
    except BundleError as error:
        fail(str(error), error.hint, USAGE if error.code == "missing" else FAILED)


def _waves(text: str) -> list[str]:
    """As they were typed; the last is always all."""
    found = [one.strip() for one in text.split(",")]
    return found if found[-1] == "100%" else [*found, "100%"]
