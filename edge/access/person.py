"""Persons and machines that use the page, and what their roles allow. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["operator", "lead", "engineer"]
ROLES: tuple[Role, ...] = ("operator", "lead", "engineer")
"""Each may do what those before it may."""
Language = Literal["en", "de"]
Right = Literal["answer", "look", "correct", "camera", "people", "degree", "tokens"]

NEEDS: dict[Right, Role] = {
    "answer": "operator",
    "look": "operator",
    "correct": "lead",
    "camera": "lead",
    "people": "lead",
    "degree": "engineer",
    "tokens": "engineer",
}
"""The least role for each right. `correct` is about others' labels: one's own, anybody may."""
FRESH: frozenset[Right] = frozenset({"people", "degree", "tokens"})
"""What asks for the PIN again, however short ago it was given."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may use the page. Records carry `id` only; `name` can be erased (None)."""

    id: str
    name: str | None
    number: str
    role: Role
    language: Language = "en"

    def may(self, right: Right) -> bool:
        """Whether the role allows it."""
        return ROLES.index(self.role) >= ROLES.index(NEEDS[right])


@dataclass(frozen=True, slots=True)
class Machine:
    """A program with a token. `rights` are those that the token was made with."""

    id: str
    name: str
    rights: frozenset[Right]

    def may(self, right: Right) -> bool:
        """Whether the token was made for it."""
        return right in self.rights
