"""The configuration file: found, read, checked as a whole, every error with its place."""

from __future__ import annotations

import difflib
import json
import os
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from edge import yaml_plain
from edge.config import Config
from edge.yaml_plain import Place

ENVIRONMENT = "EDGE_INSPECT_CONFIG"
PLACES = (Path("edge-inspect.yaml"), Path("/etc/edge-inspect/config.yaml"))
TOO_LARGE = 64 * 1024
SHOWN = 60
"""Of a wrong value this many characters are repeated in the message."""

Location = tuple[str | int, ...]

FORMS = {
    r"^[a-z0-9_-]+$": "expected small letters, digits, - and _ only",
    r"^.{4}$": "expected four letters, such as MJPG",
    r"^rtsps?://[^\s]+$": "expected rtsp://HOST/… or rtsps://HOST/…",
    r"^mqtts?://[^/\s]+$": "expected mqtt://HOST:1883 or mqtts://HOST:8883",
    r"^[^\s]+:[0-9]{1,5}$": "expected ADDRESS:PORT, such as 127.0.0.1:8080",
    r"^[a-z0-9.:\[\]-]+$": "expected the name or address of a host, in small letters",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "expected a time of day, such as 06:00, in quotes",
}
"""What a pattern of the configuration means, in words."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: line and column count from 1."""

    file: Path
    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.place[0]}:{self.place[1]}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used. `problems` has all of them, in order of their place."""

    def __init__(self, problems: Sequence[Problem], hint: str = "") -> None:
        super().__init__("\n".join(str(problem) for problem in problems) or hint)
        self.problems = tuple(problems)


def find(path: Path | None = None) -> Path:
    """The file that counts: the one given, the environment's, here, or in /etc.

    Raises ConfigError when there is none.
    """
    if path is not None:
        return path
    if named := os.environ.get(ENVIRONMENT):
        return Path(named)
    for place in PLACES:
        if os.path.lexists(place):
            return place
    looked = ", ".join(str(place) for place in PLACES)
    raise ConfigError((), f"no configuration: looked for {looked}. `edge-inspect init` writes one.")


def load(path: Path | None = None) -> Config:
    """Read and check the whole file. Raises ConfigError with every problem in it."""
    file = find(path)
    try:
        with file.open("rb") as stream:
            text = stream.read(TOO_LARGE + 1)
    except OSError as error:
        raise ConfigError((), f"{file}: {error.strerror}") from error
    if len(text) > TOO_LARGE:
        raise ConfigError((), f"{file}: over 64 KiB; this is not a configuration")
    return parse(text, file)


def parse(text: bytes, file: Path) -> Config:
    """The configuration in `text`; relative paths count from the folder of `file`."""
    try:
        plain = yaml_plain.read(text)
    except yaml_plain.NotPlain as error:
        raise ConfigError([Problem(file, error.place, str(error))]) from error
    root, data = plain.root, plain.data
    problems = [Problem(file, at, what) for at, what in _repeated_keys(root)]
    context = {"folder": file.absolute().parent}
    try:
        config = Config.model_validate_json(json.dumps(data), strict=True, context=context)
    except ValidationError as error:
        for detail in error.errors():
            message = _message(typing.cast("dict[str, typing.Any]", detail), data)
            problems.append(Problem(file, _place(root, detail["loc"]), message))
        config = None
    if problems or config is None:
        raise ConfigError(sorted(problems, key=lambda problem: problem.place))
    return config


def _repeated_keys(node: yaml.Node | None) -> Iterator[tuple[Place, str]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield yaml_plain.place(key), f"{key.value}: given twice"
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated_keys(value)


def _place(root: yaml.Node | None, location: Location) -> Place:
    """The place of the key that `location` names; of the nearest mapping where it is missing."""
    node, found = root, (1, 1)
    for step in location:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(step):
                    node, found = value, yaml_plain.place(key)
                    break
        elif isinstance(node, yaml.SequenceNode) and step in range(len(node.value)):
            node = node.value[int(step)]
            found = yaml_plain.place(node)
    return found


def _message(detail: dict[str, typing.Any], data: object) -> str:
    location = _without_tags(detail["loc"], data)
    name = ".".join(str(step) for step in location) or "the file"
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"{name}: no such setting{_did_you_mean(location, data)}"
    if kind == "missing":
        return f"{name}: is missing"
    if kind == "union_tag_not_found":
        return f"{name}.source: is missing (synthetic, folder, video, v4l2 or rtsp)"
    if kind == "union_tag_invalid":
        expected = detail["ctx"]["expected_tags"]
        return f"{name}.source: {detail['ctx']['tag']!r} is none of {expected}"
    if kind == "string_pattern_mismatch":
        wanted = FORMS.get(detail["ctx"]["pattern"], "is not of the form wanted here")
        return f"{name}: {wanted}{_shown(detail['input'])}"
    text = detail["msg"].removeprefix("Value error, ")
    return f"{name}: {text[:1].lower()}{text[1:]}{_shown(detail['input'])}"


def _shown(given: object) -> str:
    """The wrong value, unless it may hold a password: messages end up in logs."""
    if not isinstance(given, str | int | float | bool) or "@" in str(given):
        return ""
    text = repr(given)
    return f" (not {text if len(text) <= SHOWN else text[: SHOWN - 1] + '…'})"


def _without_tags(location: Location, data: object) -> Location:
    """The location without the tag of the camera union, which is no key of the file."""
    camera = data.get("camera") if isinstance(data, dict) else None
    source = camera.get("source") if isinstance(camera, dict) else None
    tagged = location[:1] == ("camera",) and location[1:2] == (source,)
    return (*location[:1], *location[2:]) if tagged else location


def _did_you_mean(location: Location, data: object) -> str:
    known = _known_keys(location[:-1], data)
    near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known)}"


def _known_keys(location: Location, data: object) -> list[str]:
    model: type[BaseModel] = Config
    for step in location:
        field = model.model_fields.get(str(step))
        choices = [] if field is None else list(_models(field))
        data = data.get(step) if isinstance(data, dict) else None
        tag = data.get("source") if isinstance(data, dict) and len(choices) > 1 else None
        for choice in choices:
            source = choice.model_fields.get("source")
            if tag is None or (source and tag in typing.get_args(source.annotation)):
                model = choice
                break
    return sorted(model.model_fields)


def _models(field: FieldInfo) -> Iterator[type[BaseModel]]:
    annotation = field.annotation
    parts = (
        typing.get_args(annotation)
        if typing.get_origin(annotation) in (typing.Union, types.UnionType)
        else (annotation,)
    )
    for part in parts:
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield part
