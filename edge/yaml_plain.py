"""Plain values from YAML text, each with its place: mappings, lists, texts, numbers, yes and no.

What YAML can do beyond that (anchors, tags, merging, dates, infinite numbers) is an error with its
place: a configuration does not need it, and a few of its lines can fill the memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import yaml

DEEPEST = 16
LARGEST = 2**63
PLAIN = ("null", "bool", "int", "float")

Place = tuple[int, int]


class NotPlain(Exception):
    """The text cannot be read. `place` is line and column, counted from 1."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True, slots=True)
class Plain:
    """The values, and the nodes that know where they stand; no node for an empty text."""

    root: yaml.Node | None
    data: object


def read(text: bytes) -> Plain:
    """The one document in `text`. Raises NotPlain, and nothing else, for whatever bytes."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        return Plain(root, None if root is None else loader.construct_document(root))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise NotPlain(at, error.problem or str(error.context)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NotPlain((1, 1), f"not a text in UTF-8: {error}") from error


def place(node: yaml.Node) -> Place:
    """Where a node begins."""
    return node.start_mark.line + 1, node.start_mark.column + 1


class _Loader(yaml.SafeLoader):
    """Refuses what is not plain before anything is made of it."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _wrong(event, f"anchors ({event.anchor}) are not used here: write the value")
        if event.tag is not None:
            raise _wrong(event, f"tags ({event.tag}) are not used here: write the plain value")
        if self._depth >= DEEPEST:
            raise _wrong(event, f"more than {DEEPEST} levels: this is not a configuration")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise _wrong(key, "expected a name")
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            value = super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            raise _wrong(node, f"not a number: {error}") from error
        if isinstance(value, float) and not math.isfinite(value):
            raise _wrong(node, "not a finite number")
        if isinstance(value, int) and abs(value) >= LARGEST:
            raise _wrong(node, "too large a number")
        if isinstance(value, str) and ("\0" in value or not _encodable(value)):
            raise _wrong(node, "a text with characters that are none")
        return value


def _resolvers() -> dict[str, list[tuple[str, object]]]:
    """By the first letter of a value: only what makes a plain value of it."""
    wanted = {f"tag:yaml.org,2002:{name}" for name in PLAIN}
    return {
        first: [(tag, pattern) for tag, pattern in resolvers if tag in wanted]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.yaml_implicit_resolvers = _resolvers()


def _wrong(where: Any, what: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=where.start_mark)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
