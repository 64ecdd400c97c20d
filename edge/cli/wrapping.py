"""`edge-inspect model wrap`, step by step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import typer

from edge.cli import bundles
from edge.cli.errors import FAILED, USAGE, fail, say
from inference.bundle import Bundle, BundleError, write
from inference.interpreter import runtime_name
from inference.labels import LabelError, Meaning
from inference.lineage import problems
from inference.manifest import VERSION, Manifest
from inference.prediction import NoPrediction
from inference.probe import probe
from inference.spec import COLOURS, FITS, RESIZES, ROLES
from inference.suitability import Refused
from inference.trial import (
    ENOUGH,
    FEWEST,
    Sample,
    Trial,
    golden_from,
    read_samples,
    settle,
    try_out,
)
from inference.wrap import PRESETS, WishError, Wishes, bundle_name, describe

SHOWN = 8
_CHOICES: dict[str, tuple[str, ...]] = {
    "rest": ROLES,
    "preset": PRESETS,
    "colour": COLOURS,
    "resize": RESIZES,
    "fit": FITS,
}


def wishes(
    choices: dict[str, str | None],
    scale: str | None,
    labels: Path | None,
    good: list[str],
    defect: list[str],
    other: list[str],
) -> Wishes:
    """The options as wishes; ends the command where a word is unknown."""
    for option, value in choices.items():
        if value is not None and value not in _CHOICES[option]:
            fail(f"--{option} {value}: one of {', '.join(_CHOICES[option])}", code=USAGE)
    words: dict[str, Any] = dict(choices)
    meaning = Meaning(good, defect, other, words.pop("rest"))
    text = labels.read_text(errors="replace") if labels else None
    return Wishes(labels_text=text, meaning=meaning, scaling=scale, **words)


@dataclass(frozen=True, slots=True)
class Naming:
    """What the bundle is to be called, and the file that says where its model comes from."""

    name: str | None
    version: str
    lineage: Path | None = None


def wrap(file: Path, out: Path, wanted: Wishes, naming: Naming, try_dir: Path | None) -> None:
    """Make the bundle and say how it went; ends the command where it cannot be made."""
    if not VERSION.fullmatch(naming.version):
        fail(f"--version {naming.version}: wanted major.minor.pipeline, such as 1.0.0", code=USAGE)
    if out.exists():
        fail(f"{out} is there already", "choose another --out", USAGE)
    model = file.read_bytes()
    try:
        manifest = _described(file, model, wanted, naming)
        trial, samples = None, list[Sample]()
        if try_dir is not None:
            samples = read_samples(try_dir)
            trial = try_out(manifest, model, samples)
            manifest = settle(manifest, trial)
        golden = golden_from(samples, trial) if trial else None
        bundle = write(out, manifest, model, golden)
    except Refused as refused:
        _refuse(file, refused)
    except (LabelError, WishError) as error:
        fail(f"{file.name}: {error}", code=USAGE)
    except (BundleError, NoPrediction) as error:
        fail(str(error), getattr(error, "hint", ""))
    if trial is not None:
        typer.echo("\n".join(table(trial)))
    typer.echo(bundles.text(bundles.content(bundle)))
    _next(bundle, trial)


def table(trial: Trial) -> list[str]:
    """The best attempts in rows."""
    ways = "1 way" if len(trial.attempts) == 1 else f"{len(trial.attempts)} ways"
    lines = [
        f"tried {ways} on {trial.good} good and {trial.defect} defective "
        "pictures (AUROC 1: all told apart, 0.5: by chance)",
        f"  {'scaling':<12} {'colour':<7} {'fit':<8} {'AUROC':>6}  {'loss':>6}",
    ]
    for attempt in trial.attempts[:SHOWN]:
        spec = attempt.spec
        lines.append(
            f"  {attempt.scaling:<12} {spec.colour:<7} {spec.fit:<8} "
            f"{attempt.auroc:>6.3f}  {attempt.loss:>6.3f}"
        )
    if len(trial.attempts) > SHOWN:
        lines.append(f"  … and {len(trial.attempts) - SHOWN} that are no better")
    return lines


def _described(file: Path, model: bytes, wanted: Wishes, naming: Naming) -> Manifest:
    probed = probe(model)
    for note in probed.file.notes:
        say(f"{file.name}: {note}")
    lineage = {
        **_lineage(naming.lineage),
        "source": {"file": file.name, "sha256": hashlib.sha256(model).hexdigest()},
        "wrapped_with": runtime_name(),
    }
    name = naming.name or bundle_name(file.stem)
    return describe(probed, wanted, name, naming.version, lineage)


def _lineage(file: Path | None) -> dict[str, Any]:
    """What the maker says of the model's origin; ends the command where it is no lineage."""
    import yaml

    if file is None:
        return {}
    try:
        said = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        fail(f"{file}: not YAML: {' '.join(str(error).split())}", code=USAGE)
    if not isinstance(said, dict):
        fail(f"{file}: no mapping of keys to values", code=USAGE)
    wrong = [f"{key}: {what}" for key, what in problems(said)]
    if wrong:
        fail(f"{file}: {'; '.join(wrong)}", code=USAGE)
    return said


def _refuse(file: Path, refused: Refused) -> NoReturn:
    say(f"edge-inspect: {file.name} cannot be used:")
    for reason in refused.reasons:
        say(f"  {reason.code}: {reason.text}")
    raise typer.Exit(FAILED)


def _next(bundle: Bundle, trial: Trial | None) -> None:
    """What to do now, on standard error."""
    if trial is not None and not trial.settled:
        say(
            f"the trial does not settle it: at least {FEWEST} pictures of each kind and an AUROC "
            f"of {ENOUGH} are wanted. Are the labels' meanings right?"
        )
    if bundle.unconfirmed:
        say(
            f"→ try it on labelled pictures (--try DIR with good/ and defect/), give the guessed "
            f"fields, or: edge-inspect model confirm {bundle.root} --by NAME"
        )
    say(f"→ edge-inspect model prove {bundle.root}")
