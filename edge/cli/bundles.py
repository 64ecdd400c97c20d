"""Bundles in words and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference.bundle import Bundle

FEW = 12


def rows(folder: Path | None, config: Path | None) -> list[dict[str, Any]]:
    """One row for each shipped bundle and each in `folder`, or else where the configured bundle
    is. Raises ConfigError where a configuration that is named cannot be read."""
    import models

    found = [row_of(f"@{name}", models.path(name)) for name in models.names()]
    place = folder or _configured(config)
    if place is not None and place.is_dir():
        inside = [place] if (place / models.MANIFEST).exists() else sorted(place.iterdir())
        for path in inside:
            if path.suffix == ".zip" or (path / models.MANIFEST).exists():
                found.append(row_of(str(path), path))
    return found


def line(row: dict[str, Any]) -> str:
    """One row for people."""
    if row["problem"]:
        return f"{row['bundle']:<28} cannot be used: {row['problem']}"
    state = "unconfirmed" if row["unconfirmed"] else "confirmed"
    role = f"  {row['role']}" if row.get("role") else ""
    return (
        f"{row['bundle']:<28} {row['name']} {row['version']}  {row['input']}  "
        f"{row['labels']} labels  {state}  {row['digest'][:12]}{role}"
    )


def content(bundle: Bundle) -> dict[str, Any]:
    """All that `model show` tells."""
    spec_in, spec_out = bundle.spec.input, bundle.spec.output
    return {
        "name": bundle.name,
        "version": bundle.version,
        "digest": bundle.digest,
        "path": str(bundle.root),
        "unconfirmed": bundle.unconfirmed,
        "guessed": list(bundle.manifest.guessed),
        "confirmed_by": bundle.confirmed.by if bundle.confirmed else None,
        "provenance": dict(bundle.provenance),
        "input": {
            "height": spec_in.height,
            "width": spec_in.width,
            "colour": spec_in.colour,
            "dtype": spec_in.dtype,
            "resize": spec_in.resize,
            "fit": spec_in.fit,
            "mean": list(spec_in.scaling.mean),
            "std": list(spec_in.scaling.std),
        },
        "output": {
            "kind": spec_out.kind,
            "dtype": spec_out.dtype,
            "labels": {label.name: label.role for label in spec_out.labels},
        },
        "deadline_ms": bundle.deadline_ms,
        "minimum_app_version": bundle.manifest.minimum_app_version,
        "golden": len(bundle.golden.scores),
        "lineage": dict(bundle.manifest.lineage),
    }


def text(shown: dict[str, Any]) -> str:
    """`model show` for people."""
    given, answer, marks = shown["input"], shown["output"], shown["provenance"]

    def mark(field: str) -> str:
        return str(marks.get(field, "given"))

    lines = [
        f"{shown['name']} {shown['version']}  ({shown['path']})",
        f"  digest     {shown['digest']}",
        f"  input      {given['width']}×{given['height']} {given['dtype']}",
        f"  colour     {given['colour']}  ({mark('colour')})",
        f"  scaling    (pixel − {_few(given['mean'])}) / {_few(given['std'])}  ({mark('scaling')})",
        f"  resize     {given['resize']}  ({mark('resize')})",
        f"  fit        {given['fit']}  ({mark('fit')})",
        f"  output     {answer['kind']} {answer['dtype']}  ({mark('output')})",
        f"  labels     {_labels(answer['labels'])}",
        f"             names {mark('labels')}, meaning {mark('roles')}",
        f"  golden set {shown['golden']} pictures",
    ]
    if shown["unconfirmed"]:
        lines.append(
            f"  unconfirmed: {', '.join(shown['guessed'])} guessed, so it cannot rise above shadow"
        )
    elif shown["confirmed_by"]:
        lines.append(f"  confirmed by {shown['confirmed_by']}")
    return "\n".join(lines)


def row_of(name: str, path: Path) -> dict[str, Any]:
    """One row: what a bundle says of itself, or the problem with it."""
    from edge import __version__
    from inference.bundle import BundleError, load

    row: dict[str, Any] = {"bundle": name, "path": str(path), "problem": None}
    try:
        bundle = load(path, __version__)
    except BundleError as error:
        return {**row, "problem": " ".join(str(error).split())}
    spec = bundle.spec.input
    return {
        **row,
        "name": bundle.name,
        "version": bundle.version,
        "digest": bundle.digest,
        "unconfirmed": bundle.unconfirmed,
        "input": f"{spec.width}×{spec.height} {spec.dtype}",
        "labels": len(bundle.spec.output.labels),
    }


def _configured(config: Path | None) -> Path | None:
    """The folder that the configured bundle is in; None without a configuration or for one that
    ships with this."""
    from edge.config_file import ConfigError, load

    try:
        name = load(config).model.bundle
    except ConfigError:
        if config is not None:
            raise
        return None
    return None if name.startswith("@") else Path(name).parent


def _labels(labels: dict[str, str]) -> str:
    shown = [f"{name} = {role}" for name, role in list(labels.items())[:FEW]]
    more = f" … ({len(labels)} in all)" if len(labels) > FEW else ""
    return ", ".join(shown) + more


def _few(numbers: list[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)
