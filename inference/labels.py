"""Names of classes, from the files that people have, and what each means for a part. Pure."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from inference.manifest import LARGEST_LABELS, Provenance
from inference.spec import Label, Role

_INDEXED = re.compile(r"\s*(\d+)\s*[\s:,;=]\s*(\S.*?)\s*")
_KEY = re.compile(r"[^a-z0-9]+")
_GOOD = {"good", "ok", "okay", "pass", "passed", "accept", "accepted", "normal", "nodefect",
         "nondefective", "defectfree", "perfect", "io", "gut"}  # fmt: skip
_OTHER = {"background", "empty", "nothing", "none", "nopart", "notapart", "unknown", "other"}


class LabelError(ValueError):
    """Labels that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Meaning:
    """What a person said about labels: names (or numbers) by role, and the role of the rest."""

    good: Sequence[str] = field(default_factory=tuple)
    defect: Sequence[str] = field(default_factory=tuple)
    other: Sequence[str] = field(default_factory=tuple)
    rest: Role | None = None

    @property
    def silent(self) -> bool:
        """Whether nothing was said."""
        return not (self.good or self.defect or self.other or self.rest)


def read_labels(text: str) -> list[str]:
    """The names in the order of the outputs.

    One name a line, or an index before each name (`0 good`, `0: good`), also out of order or with
    gaps; or JSON: a list, {index: name} or {name: index}. Raises LabelError.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in ("[", "{"):
        return _from_json(text)
    lines = [line.strip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise LabelError("the label file is empty")
    found = [_INDEXED.fullmatch(line) for line in lines if line]
    indexed = {int(match[1]): match[2] for match in found if match}
    if len(indexed) == len(found) and _counts(indexed, len(found)):
        return _in_order(indexed)
    return lines


def distinct(names: Sequence[str]) -> list[str]:
    """The names with a number behind those that are empty or there twice."""
    seen: set[str] = set()
    result: list[str] = []
    for index, name in enumerate(names):
        unique = name if name and name not in seen else f"{name or 'class'} #{index}"
        while unique in seen:
            unique += "'"
        seen.add(unique)
        result.append(unique)
    return result


def numbered(count: int) -> list[str]:
    """Names for a model that has none."""
    return [f"class {index}" for index in range(count)]


def with_roles(names: Sequence[str], meaning: Meaning) -> tuple[tuple[Label, ...], Provenance]:
    """A role for each name, and whether it was given or guessed from well-known names.

    What nobody spoke of is a defect where a good label was named, since that can only make a part
    worse. Raises LabelError.
    """
    if meaning.silent:
        return _guessed(names), "guessed"
    roles: dict[int, Role] = {}
    spoken: tuple[tuple[Role, Sequence[str]], ...] = (
        ("good", meaning.good),
        ("defect", meaning.defect),
        ("other", meaning.other),
    )
    for role, wanted in spoken:
        for name in wanted:
            index = _find(names, name)
            if roles.setdefault(index, role) != role:
                raise LabelError(f"label {names[index]!r} is said to be {roles[index]} and {role}")
    rest = meaning.rest or ("defect" if meaning.good else None)
    if rest is None and len(roles) < len(names):
        left = [name for index, name in enumerate(names) if index not in roles]
        raise LabelError(f"nothing is said of {_few(left)}: add --good NAME or --rest ROLE")
    labels = [Label(name, roles.get(index, rest or "defect")) for index, name in enumerate(names)]
    return tuple(labels), "given"


def _guessed(names: Sequence[str]) -> tuple[Label, ...]:
    keys = [_KEY.sub("", name.lower()) for name in names]
    roles: list[Role] = [
        "good" if key in _GOOD else "other" if key in _OTHER else "defect" for key in keys
    ]
    if "good" not in roles or set(roles) == {"good"}:
        raise LabelError(
            f"which label means a good part? The labels are {_few(names)}. "
            "Say --good NAME (the others then count as defects) or name each"
        )
    return tuple(Label(name, role) for name, role in zip(names, roles, strict=True))


def _find(names: Sequence[str], wanted: str) -> int:
    if wanted in names:
        return names.index(wanted)
    if wanted.isdigit() and int(wanted) < len(names):
        return int(wanted)
    lower = [name.lower() for name in names]
    if lower.count(wanted.lower()) == 1:
        return lower.index(wanted.lower())
    near = difflib.get_close_matches(wanted, names, 3, 0.5)
    hint = f"did you mean {_few(near)}?" if near else f"the labels are {_few(names)}"
    raise LabelError(f"there is no label {wanted!r}; {hint}")


def _counts(indexed: dict[int, str], count: int) -> bool:
    """Whether numbers before names are an index and not a part of the names (`3 holes`)."""
    lowest, highest = min(indexed), max(indexed)
    return lowest <= 1 and highest < max(2 * count + 2, 100) and highest <= LARGEST_LABELS


def _in_order(indexed: dict[int, str]) -> list[str]:
    gapless = sorted(indexed) == list(range(1, len(indexed) + 1))
    first = 1 if gapless else 0
    return [indexed.get(index, "") for index in range(first, max(indexed) + 1)]


def _from_json(text: str) -> list[str]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise LabelError(f"the label file looks like JSON, but is not: {error}") from error
    if isinstance(content, list) and content:
        return [str(name) for name in content]
    if isinstance(content, dict) and content:
        if all(type(value) is int for value in content.values()):
            content = {index: name for name, index in content.items()}
        if all(str(key).isdigit() and int(key) <= LARGEST_LABELS for key in content):
            return _in_order({int(key): str(name) for key, name in content.items()})
    raise LabelError("the label file is JSON, but neither a list nor {index: name}")


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} … ({len(names)} in all)"
