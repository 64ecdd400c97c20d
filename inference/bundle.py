"""A model and everything that travels with it: a directory or a zip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inference.files import Unsafe, open_files, write_file, write_folder
from inference.manifest import VERSION, Manifest, Provenance, from_yaml, to_yaml
from inference.seal import SEAL, broken, seal
from inference.spec import ModelSpec

MANIFEST = "bundle.yaml"
MODEL = "model.tflite"
BASELINE = "baseline.json"
GOLDEN = "golden/"
EXPECTED = "golden/expected.json"
CONFIRMED = "confirmed.json"
DEFAULT_TOLERANCE = 0.02


class BundleError(Exception):
    """A bundle that cannot be used, with every problem found.

    `code` is one plain word for records (`missing`, `unreadable`, `unsafe`, `oversized`,
    `malformed`, `too_new`, `changed`, `exists`), `hint` what a person can do.
    """

    def __init__(self, code: str, message: str, hint: str, problems: Sequence[str] = ()) -> None:
        lines = [message, *(f"  {problem}" for problem in problems)]
        super().__init__("\n".join(lines))
        self.code = code
        self.hint = hint
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Golden:
    """Pictures with the scores that the bundle's maker saw; `tolerance` is the largest
    difference that another runtime or machine may show."""

    scores: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = DEFAULT_TOLERANCE


@dataclass(frozen=True)
class Confirmation:
    """A person's word that the guessed fields are right, for one digest."""

    digest: str
    by: str
    at: str


@dataclass(frozen=True)
class Bundle:
    """One bundle, read once. `model` holds the very bytes that the digest speaks of.

    `digest` is the sha256 over the canonical JSON of {relative file: sha256} for bundle.yaml,
    model.tflite, baseline.json and everything in golden/; a later confirmation is not part of it.
    `baseline` holds statistics of the data that the model was made from, as written there.
    """

    root: Path
    manifest: Manifest
    digest: str
    model: bytes = field(repr=False)
    golden: Golden = field(default_factory=Golden)
    baseline: Mapping[str, Any] = field(default_factory=dict, repr=False)
    confirmed: Confirmation | None = None
    hashes: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """`major.minor.pipeline`."""
        return self.manifest.version

    @property
    def spec(self) -> ModelSpec:
        """Both ends of the model."""
        return self.manifest.spec

    @property
    def provenance(self) -> Mapping[str, Provenance]:
        """How each field came to be."""
        return self.manifest.provenance

    @property
    def deadline_ms(self) -> float:
        """The deadline its maker had in mind; 0 means none."""
        return self.manifest.deadline_ms

    @property
    def unconfirmed(self) -> bool:
        """Whether a field is guessed and no person has confirmed this very digest."""
        return bool(self.manifest.guessed) and self.confirmed is None

    def as_record(self) -> dict[str, str]:
        """The `model` of an inspection's record."""
        return {"name": self.name, "version": self.version, "bundle": self.digest}

    def golden_picture(self, name: str) -> bytes:
        """The bytes of a golden picture, checked against the hash seen at loading. Raises
        BundleError."""
        path = GOLDEN + name
        try:
            content = open_files(self.root).read(path)
        except OSError as error:
            raise BundleError("unreadable", f"{self.root}: {error}", "install it again") from error
        if hashlib.sha256(content).hexdigest() != self.hashes.get(path):
            raise BundleError(
                "changed", f"{self.root}: {path} changed since it was loaded", "install it again"
            )
        return content


def load(path: Path, app_version: str | None = None) -> Bundle:
    """Read a directory or a zip. Raises BundleError with all problems at once.

    With `app_version` a bundle that asks for a later one is refused.
    """
    problems: list[str] = []
    contents = _read_all(path, problems)
    manifest: Manifest | None = None
    if MANIFEST in contents:
        text = contents[MANIFEST].decode(errors="replace")
        manifest, wrong = from_yaml(text)
        problems += [f"{MANIFEST}: {what}" for what in wrong]
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    golden = _golden(contents, problems)
    baseline = _json_object(BASELINE, contents.get(BASELINE, b"{}"), problems)
    if problems or manifest is None:
        raise BundleError(
            "malformed",
            f"{path} is not a usable bundle:",
            "make one with `edge-inspect model wrap`, or mend what is listed",
            problems,
        )
    _check_version(path, manifest, app_version)
    digest = _digest(hashes)
    return Bundle(
        root=path,
        manifest=manifest,
        digest=digest,
        model=contents[MODEL],
        golden=golden,
        baseline=baseline,
        confirmed=_confirmation(path, digest),
        hashes=hashes,
    )


def write(
    folder: Path,
    manifest: Manifest,
    model: bytes,
    golden: Mapping[str, tuple[bytes, float]] | None = None,
    baseline: Mapping[str, Any] | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Bundle:
    """Write a new bundle and read it back. `golden` has picture bytes and expected score by file
    name. Raises BundleError when the folder exists, cannot be written, or would not load."""
    files = {MANIFEST: to_yaml(manifest).encode(), MODEL: model}
    if golden:
        scores = {name: score for name, (_, score) in golden.items()}
        files[EXPECTED] = _canonical({"tolerance": tolerance, "scores": scores})
        files.update({GOLDEN + name: picture for name, (picture, _) in golden.items()})
    if baseline is not None:
        files[BASELINE] = _canonical(dict(baseline))
    files[SEAL] = seal(files)
    try:
        write_folder(folder, files)
    except FileExistsError as error:
        raise BundleError("exists", str(error), "choose another folder or remove it") from error
    except OSError as error:
        raise BundleError("unreadable", f"{folder} cannot be written: {error}", "") from error
    return load(folder)


def confirm(bundle: Bundle, by: str, at: str) -> Bundle:
    """Write a person's confirmation beside the bundle. `at` is UTC text. Raises BundleError."""
    if not bundle.root.is_dir():
        raise BundleError(
            "unreadable", f"{bundle.root} is a zip", "unpack it and confirm the directory"
        )
    confirmation = Confirmation(bundle.digest, by, at)
    content = _canonical({"digest": bundle.digest, "by": by, "at": at})
    try:
        write_file(bundle.root / CONFIRMED, content)
    except OSError as error:
        hint = "run the command as the owner of the bundle"
        raise BundleError("unreadable", f"{bundle.root}: {error}", hint) from error
    return replace(bundle, confirmed=confirmation)


def _read_all(path: Path, problems: list[str]) -> dict[str, bytes]:
    """Everything the digest speaks of, by relative path."""
    hint = "give the folder or zip that `edge-inspect model wrap` wrote"
    if path.suffix == ".tflite":
        hint = "that is a model alone: `edge-inspect model wrap FILE --out DIR` makes a bundle"
    if not path.exists():
        raise BundleError("missing", f"there is no bundle at {path}", hint)
    contents: dict[str, bytes] = {}
    try:
        files = open_files(path)
        names = files.names()
        for name in names:
            if name in (MANIFEST, MODEL, BASELINE) or name.startswith(GOLDEN):
                contents[name] = files.read(name)
        sealed = files.read(SEAL) if SEAL in names else None
    except OSError as error:
        code = error.code if isinstance(error, Unsafe) else "unreadable"
        raise BundleError(code, f"{path} cannot be read: {error}", hint) from error
    problems += [f"{name}: missing" for name in (MANIFEST, MODEL) if name not in contents]
    if not problems and (changed := broken(sealed, contents)):
        raise BundleError("changed", f"{path} is damaged:", "copy or fetch it again", changed)
    return contents


def _golden(contents: Mapping[str, bytes], problems: list[str]) -> Golden:
    stated = _json_object(EXPECTED, contents.get(EXPECTED, b"{}"), problems)
    scores = stated.get("scores", {})
    tolerance = stated.get("tolerance", DEFAULT_TOLERANCE)
    if not isinstance(scores, dict) or not isinstance(tolerance, (int, float)):
        problems.append(f"{EXPECTED}: wanted {{scores: {{file: number}}, tolerance: number}}")
        return Golden()
    for name, score in scores.items():
        if not isinstance(score, (int, float)) or not 0 <= score <= 1:
            problems.append(f"{EXPECTED}: {name}: {score!r} is not a score from 0 to 1")
        if GOLDEN + name not in contents:
            problems.append(f"{GOLDEN}{name}: missing, but it has an expected score")
    return Golden(scores, tolerance)


def _json_object(name: str, content: bytes, problems: list[str]) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        problems.append(f"{name}: not JSON: {error}")
        return {}
    if not isinstance(value, dict):
        problems.append(f"{name}: not a JSON object")
        return {}
    return value


def _check_version(path: Path, manifest: Manifest, app_version: str | None) -> None:
    if app_version is None or not VERSION.fullmatch(app_version):
        return
    wanted, have = (
        tuple(int(part) for part in text.split("."))
        for text in (manifest.minimum_app_version, app_version)
    )
    if have < wanted:
        raise BundleError(
            "too_new",
            f"{path} needs Edge Inspect {manifest.minimum_app_version}; this is {app_version}",
            "update Edge Inspect, or make the bundle for this version",
        )


def _confirmation(path: Path, digest: str) -> Confirmation | None:
    """The confirmation of this very digest; a damaged or foreign one counts as none."""
    try:
        stated = json.loads(open_files(path).read(CONFIRMED))
        found = Confirmation(str(stated["digest"]), str(stated["by"]), str(stated["at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.digest == digest else None


def _digest(hashes: Mapping[str, str]) -> str:
    return hashlib.sha256(_canonical(dict(hashes))).hexdigest()


def _canonical(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()
