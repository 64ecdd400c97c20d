"""What `edge-inspect model prove` does, and how it says it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from edge.cli.errors import CHECK_FAILED, USAGE, fail
from edge.cli.progress import progress

if TYPE_CHECKING:
    from inference.bundle import Bundle, BundleError
    from inference.proof import Proof


def run(name: str, max_ms: float, max_mb: float, as_json: bool) -> None:
    """The whole command. Ends it with exit 4 where the bundle is refused, whatever is wrong."""
    import models
    from edge import __version__
    from inference.bundle import BundleError, load
    from inference.proof import Limits, prove

    try:
        bundle = load(models.path(name) if name.startswith("@") else Path(name), __version__)
    except models.NoSuchBundle as error:
        fail(str(error), "edge-inspect model list", USAGE)
    except BundleError as error:
        if error.code == "missing":
            fail(str(error), error.hint, USAGE)
        _refuse(error, as_json)
    with progress("runs") as tell:
        proof = prove(bundle, Limits(latency_ms=max_ms, memory_mb=max_mb), tell=tell)
    typer.echo(json.dumps(proof.as_json()) if as_json else in_words(bundle, proof))
    if not proof.ok:
        raise typer.Exit(CHECK_FAILED)


def _refuse(error: BundleError, as_json: bool) -> None:
    """A bundle that never came to run, said as one that did and failed."""
    if as_json:
        failure = {"code": error.code, "text": " ".join(str(error).split())}
        refused: dict[str, Any] = {"digest": None, "ok": False, "failures": [failure], "notes": []}
        typer.echo(json.dumps(refused))
        raise typer.Exit(CHECK_FAILED)
    fail(f"{error.code}: {error}", error.hint, CHECK_FAILED)


def in_words(bundle: Bundle, proof: Proof) -> str:
    """For people."""
    lines = [f"{bundle.name} {bundle.version} with {proof.runtime}", f"  digest {proof.digest}"]
    if proof.load_ms:
        lines.append(f"  ready after {proof.load_ms:.0f} ms")
    if proof.golden:
        lines.append(
            f"  {proof.golden} golden pictures, largest difference {proof.golden_worst:.4f}"
            f" (allowed {bundle.golden.tolerance:g})"
        )
    if proof.latency_ms:
        lines.append(
            f"  {proof.latency_ms:.2f} ms an inference, {proof.slowest_ms:.2f} ms the slowest,"
            f" {proof.memory_mb:.0f} MB"
        )
    lines += [f"  note {note.code}: {note.text}" for note in proof.notes]
    lines += [f"  fail {failure.code}: {failure.text}" for failure in proof.failures]
    lines.append("  ok" if proof.ok else "  not proved")
    return "\n".join(lines)
