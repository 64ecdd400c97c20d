"""Reading a mapping field by field, and noting every problem on the way. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

LARGEST_SIDE = 4096


class Fields:
    """One mapping of a file, its path in words, and the list of problems that all share.

    Every reader answers with a usable value even where it notes a problem, so that reading goes on
    and finds the rest.
    """

    def __init__(self, path: str, content: Mapping[Any, Any], problems: list[str]) -> None:
        self.path = path
        self.content = content
        self.problems = problems

    def problem(self, key: str, what: str) -> None:
        """Note that the value of `key` is wrong."""
        self.problems.append(f"{self.path}{key}: {what}")

    def known(self, keys: set[str]) -> None:
        """Note every key that is none of `keys`."""
        for key in self.content:
            if key not in keys:
                self.problem(str(key), f"unknown; known are {', '.join(sorted(keys))}")

    def below(self, key: str) -> Fields:
        """The mapping under `key`."""
        inner = self.content.get(key)
        if not isinstance(inner, dict):
            self.problem(key, "missing, or not a mapping")
            inner = {}
        return Fields(f"{self.path}{key}.", inner, self.problems)

    def text(self, key: str, pattern: re.Pattern[str], default: str) -> str:
        """A text that matches `pattern` as a whole."""
        value = self.content.get(key, default)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            self.problem(key, f"{value!r} does not look like {pattern.pattern}")
            return default
        return value

    def choice(self, key: str, choices: tuple[Any, ...], default: Any = None) -> Any:
        """One of a few words."""
        value = self.content.get(key, default)
        if value not in choices:
            self.problem(key, f"{value!r} is none of {', '.join(choices)}")
            return choices[0]
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number of at least 0."""
        value = self.content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.problem(key, f"{value!r} is not a number")
            return 0.0
        if not math.isfinite(value) or value < 0:
            self.problem(key, f"{value!r} is not a finite number of at least 0")
            return 0.0
        return float(value)

    def side(self, key: str) -> int:
        """The side of a picture in pixels."""
        value = self.content.get(key)
        if type(value) is not int or not 1 <= value <= LARGEST_SIDE:
            self.problem(key, f"{value!r} is not a whole number from 1 to {LARGEST_SIDE}")
            return 1
        return value

    def mapping(self, key: str) -> dict[str, Any]:
        """A free mapping; empty when it is not there."""
        value = self.content.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.problem(key, "not a mapping")
            return {}
        return {str(k): v for k, v in value.items()}


def floats(value: Any) -> tuple[float, ...]:
    """One number or a list of them; empty when anything in it is not a finite number."""
    numbers = value if isinstance(value, list) else [value]
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            return ()
        if not math.isfinite(number):
            return ()
    return tuple(float(number) for number in numbers)
