"""What `bundle.yaml` says, as values, and back as text. Pure.

Reading reports every problem at once, each with the place in the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from inference.fields import Fields, floats
from inference.lineage import problems
from inference.spec import (
    COLOURS,
    DTYPES,
    FITS,
    LOWEST,
    NAMED_SCALINGS,
    OUTPUT_KINDS,
    RESIZES,
    ROLES,
    InputSpec,
    Label,
    ModelSpec,
    OutputSpec,
    Scaling,
    untouched,
)

Provenance = Literal["read", "given", "guessed", "tried"]
PROVENANCES: tuple[Provenance, ...] = ("read", "given", "guessed", "tried")
SCHEMA = "bundle/1"
LARGEST_LABELS = 20_000
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
VERSION = re.compile(r"\d{1,6}\.\d{1,6}\.\d{1,6}")
_KEYS = {
    "schema",
    "name",
    "version",
    "minimum_app_version",
    "deadline_ms",
    "input",
    "output",
    "provenance",
    "lineage",
}
_INPUT_KEYS = {"height", "width", "colour", "dtype", "quantisation", "resize", "fit", "scaling"}
_OUTPUT_KEYS = {"kind", "dtype", "quantisation", "labels"}


@dataclass(frozen=True)
class Manifest:
    """A bundle's own description.

    `provenance` says by field name (`colour`, `scaling`, `resize`, `fit`, `labels`, `roles`,
    `output`) how its value came to be: *read* from the model file, *given* by a person, *guessed*,
    or *tried* on labelled pictures. A field that is not named there was given. `deadline_ms` 0
    means none. `lineage` says where it comes from (inference/lineage.py).
    """

    name: str
    version: str
    spec: ModelSpec
    deadline_ms: float = 0.0
    minimum_app_version: str = "0.0.0"
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def guessed(self) -> tuple[str, ...]:
        """The fields that nobody has vouched for, sorted."""
        return tuple(sorted(k for k, v in self.provenance.items() if v == "guessed"))


def to_yaml(manifest: Manifest) -> str:
    """The text of `bundle.yaml`; the same manifest always gives the same text."""
    spec_in, spec_out = manifest.spec.input, manifest.spec.output
    content = {
        "schema": SCHEMA,
        "name": manifest.name,
        "version": manifest.version,
        "minimum_app_version": manifest.minimum_app_version,
        "deadline_ms": manifest.deadline_ms,
        "input": {
            "height": spec_in.height,
            "width": spec_in.width,
            "colour": spec_in.colour,
            "dtype": spec_in.dtype,
            **_quantisation(spec_in),
            "resize": spec_in.resize,
            "fit": spec_in.fit,
            "scaling": _scaling_as_yaml(spec_in),
        },
        "output": {
            "kind": spec_out.kind,
            "dtype": spec_out.dtype,
            **_quantisation(spec_out),
            "labels": [{label.name: label.role} for label in spec_out.labels],
        },
        "provenance": dict(manifest.provenance),
        "lineage": dict(manifest.lineage),
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def scaling_named(text: str, spec_dtype: str, scale: float, zero_point: int) -> Scaling | None:
    """The scaling that a word stands for; None for an unknown word.

    `raw` is the pixel as it is (int8: minus 128) and, for float32, the same as `0..255`.
    """
    if text == "raw":
        if spec_dtype == "float32":
            return NAMED_SCALINGS["0..255"]
        return untouched("uint8" if spec_dtype == "uint8" else "int8", scale, zero_point)
    return NAMED_SCALINGS.get(text)


def from_yaml(text: str) -> tuple[Manifest | None, list[str]]:
    """The manifest, or None and everything that is wrong with the text, in plain words."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(text, loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return None, [f"not YAML: {' '.join(str(error).split())}"]
    if not isinstance(content, dict):
        return None, ["the file holds no mapping of keys to values"]
    place = Fields("", content, [])
    manifest = _manifest(place)
    return (None, place.problems) if place.problems else (manifest, [])


def _manifest(place: Fields) -> Manifest:
    place.known(_KEYS)
    place.choice("schema", (SCHEMA,))
    provenance = place.mapping("provenance")
    for name, word in provenance.items():
        if word not in PROVENANCES:
            place.problem(f"provenance.{name}", f"{word!r} is none of {', '.join(PROVENANCES)}")
    return Manifest(
        name=place.text("name", NAME, ""),
        version=place.text("version", VERSION, ""),
        spec=ModelSpec(_input(place.below("input")), _output(place.below("output"))),
        deadline_ms=place.number("deadline_ms", 0.0),
        minimum_app_version=place.text("minimum_app_version", VERSION, "0.0.0"),
        provenance=provenance,
        lineage=_lineage(place),
    )


def _lineage(place: Fields) -> Mapping[str, Any]:
    content = place.mapping("lineage")
    for key, what in problems(content):
        place.problem(f"lineage.{key}".rstrip("."), what)
    return content


def _input(place: Fields) -> InputSpec:
    place.known(_INPUT_KEYS)
    dtype = place.choice("dtype", DTYPES)
    colour = place.choice("colour", COLOURS)
    scale, zero_point = _read_quantisation(place, dtype)
    channels = 1 if colour == "grey" else 3
    return InputSpec(
        height=place.side("height"),
        width=place.side("width"),
        channels=channels,
        dtype=dtype,
        colour=colour,
        scaling=_read_scaling(place, dtype, scale, zero_point, channels),
        resize=place.choice("resize", RESIZES, "area"),
        fit=place.choice("fit", FITS, "stretch"),
        scale=scale,
        zero_point=zero_point,
    )


def _output(place: Fields) -> OutputSpec:
    place.known(_OUTPUT_KEYS)
    dtype = place.choice("dtype", DTYPES)
    kind = place.choice("kind", OUTPUT_KINDS)
    scale, zero_point = _read_quantisation(place, dtype)
    labels = _read_labels(place)
    roles = {label.role for label in labels}
    if labels and kind == "sigmoids" and "defect" not in roles:
        place.problem("labels", "independent outputs need at least one label declared defect")
    if labels and kind != "sigmoids" and not {"good"} < roles:
        place.problem("labels", "at least one label must be declared good and one not good")
    if kind == "sigmoid" and labels and len(labels) != 2:
        place.problem("labels", f"one sigmoid value needs two labels, not {len(labels)}")
    return OutputSpec(kind, dtype, labels, scale, zero_point)


def _read_labels(place: Fields) -> tuple[Label, ...]:
    found: list[Label] = []
    seen: set[str] = set()
    entries = place.content.get("labels")
    if not isinstance(entries, list) or not entries:
        place.problem("labels", "missing; wanted a list such as [{good: good}, {scratch: defect}]")
        return ()
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or len(entry) != 1:
            place.problem(f"labels[{number}]", f"{entry!r} is not one `name: role`")
            continue
        ((name, role),) = entry.items()
        if role not in ROLES:
            place.problem(f"labels[{number}]", f"{role!r} is none of {', '.join(ROLES)}")
            continue
        if str(name) in seen:
            place.problem(f"labels[{number}]", f"{name!r} is there twice")
        seen.add(str(name))
        found.append(Label(str(name), role))
    return tuple(found)


def _read_quantisation(place: Fields, dtype: str) -> tuple[float, int]:
    if dtype == "float32":
        if place.content.get("quantisation") is not None:
            place.problem("quantisation", "float32 has none")
        return 0.0, 0
    inner = place.below("quantisation")
    inner.known({"scale", "zero_point"})
    scale = inner.number("scale")
    zero_point = inner.content.get("zero_point")
    if scale <= 0:
        inner.problem("scale", "must be greater than 0")
    lowest = LOWEST[dtype]
    if not isinstance(zero_point, int) or not lowest <= zero_point <= lowest + 255:
        inner.problem("zero_point", f"{zero_point!r} is not from {lowest} to {lowest + 255}")
        zero_point = 0
    return scale or 1.0, zero_point


def _read_scaling(
    place: Fields, dtype: str, scale: float, zero_point: int, channels: int
) -> Scaling:
    value = place.content.get("scaling")
    if isinstance(value, str):
        named = scaling_named(value, dtype, scale, zero_point)
        if named is not None and max(len(named.mean), len(named.std)) in (1, channels):
            return named
    elif isinstance(value, dict) and set(value) == {"mean", "std"}:
        mean, std = floats(value["mean"]), floats(value["std"])
        if len(mean) in (1, channels) and len(std) in (1, channels) and all(std):
            return Scaling(mean, std)
    known = ", ".join(("raw", *NAMED_SCALINGS))
    place.problem(
        "scaling",
        f"{value!r} is none of {known}, nor {{mean: [..], std: [..]}} with 1 or {channels} "
        "numbers each, std not 0",
    )
    return NAMED_SCALINGS["0..255"]


def _quantisation(spec: InputSpec | OutputSpec) -> dict[str, Any]:
    if spec.dtype == "float32":
        return {}
    return {"quantisation": {"scale": spec.scale, "zero_point": spec.zero_point}}


def _scaling_as_yaml(spec: InputSpec) -> Any:
    for name in ("raw", *NAMED_SCALINGS):
        if scaling_named(name, spec.dtype, spec.scale, spec.zero_point) == spec.scaling:
            return name if spec.dtype != "float32" or name != "raw" else "0..255"
    return {"mean": list(spec.scaling.mean), "std": list(spec.scaling.std)}
