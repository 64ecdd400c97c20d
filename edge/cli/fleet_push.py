"""`edge-inspect fleet push`: a bundle, to some stations, in waves."""

from __future__ import annotations

from typing import Annotated

import typer

from edge.cli.fleet_options import (
    DatabaseOption,
    DryRunOption,
    KeysOption,
    PassphraseOption,
    RepositoryOption,
)
from edge.cli.options import ByOption, JsonOption, ReasonOption

_STATION = "At each station, and over all of them"


def push(
    bundle: Annotated[
        str,
        typer.Argument(help="A folder or zip, @NAME, or of one that was pushed before the digest."),
    ],
    to: Annotated[
        list[str],
        typer.Option("--to", help="SITE/LINE/STATION, with * for any; repeatable."),
    ],
    repository: RepositoryOption,
    database: DatabaseOption,
    by: ByOption,
    reason: ReasonOption,
    strategy: Annotated[str, typer.Option(help="shadow|canary|blue-green.")] = "canary",
    canary: Annotated[
        str, typer.Option(help="Percent of the parts that it decides, step by step.")
    ] = "5,25,100",
    waves: Annotated[
        str, typer.Option(help="Stations reached when each wave has begun: counts or percent.")
    ] = "100%",
    no_promote: Annotated[
        bool, typer.Option("--no-promote", help="A person promotes it at each station.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also where this bundle was rolled back before.")
    ] = False,
    not_trained: Annotated[
        bool,
        typer.Option(
            "--not-trained-on-station-pictures",
            help="Your word that the stations' labelled pictures were not trained on.",
        ),
    ] = False,
    min_parts: Annotated[
        int, typer.Option(help="Parts that both models saw, before it is judged.")
    ] = 200,
    max_permissive: Annotated[
        str, typer.Option(help=f"{_STATION}: parts that only the new one would accept.")
    ] = "0.5%",
    max_escalation_rise: Annotated[
        str, typer.Option(help=f"{_STATION}: how many more parts go to persons.")
    ] = "5%",
    max_overkill_rise: Annotated[
        str, typer.Option(help=f"{_STATION}: how many more good parts are rejected.")
    ] = "2%",
    max_latency_ratio: Annotated[
        float, typer.Option(help="Times as slow as the active one, at most.")
    ] = 3.0,
    wait_calibration_days: Annotated[
        float, typer.Option(help="How long a station waits for labels.")
    ] = 14.0,
    max_failed: Annotated[
        str, typer.Option(help="Stations that may reject it or go back, before all stop.")
    ] = "10%",
    max_deaths: Annotated[
        int, typer.Option(help="How often it may die, at all stations together.")
    ] = 3,
    success: Annotated[
        str, typer.Option(help="Stations of a wave that must have it before the next begins.")
    ] = "90%",
    unconfirmed: Annotated[
        bool, typer.Option("--unconfirmed", help="Though fields in it are guessed: shadow only.")
    ] = False,
    skip_proof: Annotated[
        bool, typer.Option("--skip-proof", help="Do not run it here first.")
    ] = False,
    keys: KeysOption = None,
    passphrase_file: PassphraseOption = None,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> None:
    """Sign a bundle and roll it out; `fleet serve` carries it to the stations, wave by wave.

    Stations are those that have ever been heard, and those whose name is written in full. Given
    again in the same words, it adds those that it did not reach. Where more signatures are needed,
    it waits for `fleet keys sign`.
    """
    from edge.cli import pushing
    from edge.cli.keyring import Places

    limits = {
        "min_parts": min_parts,
        "max_permissive": pushing.share(max_permissive, "--max-permissive"),
        "max_escalation_rise": pushing.share(max_escalation_rise, "--max-escalation-rise"),
        "max_overkill_rise": pushing.share(max_overkill_rise, "--max-overkill-rise"),
    }
    plan = pushing.planned(
        to,
        strategy,
        canary,
        waves,
        {"promote": not no_promote, "again": again, "not_trained_on_yours": not_trained},
        limits
        | {
            "max_latency_ratio": max_latency_ratio,
            "wait_calibration_s": wait_calibration_days * 86400.0,
        },
        limits
        | {
            "max_failed": pushing.share(max_failed, "--max-failed"),
            "max_deaths": max_deaths,
            "success": pushing.share(success, "--success"),
        },
    )
    ready = pushing.pushed(bundle, database)
    if ready is None:
        ready = pushing.ready(bundle, unconfirmed, skip_proof, plan)
    places = Places(repository, database, keys or [], passphrase_file)
    pushing.push(ready, plan, places, by, reason, dry_run, json)
