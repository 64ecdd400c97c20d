"""What the slow steps of a rollout end with. Pure.

`ok` is False with a `code` and, in words, `why`. `again` says that it was not the bundle's fault (a
full disk, a process that was ended): the step may be tried again later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Kind = Literal["install", "prove", "calibrate"]


@dataclass(frozen=True, slots=True)
class Installed:
    """A bundle lies in `slot`, whole and on the disk. `guessed` are fields that nobody vouches for:
    such a bundle stays in shadow."""

    ok: bool
    code: str | None = None
    why: str | None = None
    again: bool = False
    slot: str = ""
    digest: str = ""
    name: str = ""
    version: str = ""
    guessed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proved:
    """A bundle ran on this machine. `proof` as in `Proof.as_json`; empty where it came to none."""

    ok: bool
    code: str | None = None
    why: str | None = None
    again: bool = False
    digest: str = ""
    proof: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The station's pinned pictures were scored. `ok` means that `calibration` is certified and on
    the disk, though not in force.

    `needed` more labelled pictures of each kind would certify the targets (`good`, `defect`), where
    their number is what is missing. `content` is the calibration as in `calibrate --json`.
    """

    ok: bool
    code: str | None = None
    why: str | None = None
    again: bool = False
    digest: str = ""
    calibration: str | None = None
    needed: Mapping[str, int] | None = None
    content: Mapping[str, Any] = field(default_factory=dict)


Result = Installed | Proved | Calibrated
RESULTS: Mapping[Kind, type[Installed] | type[Proved] | type[Calibrated]] = {
    "install": Installed,
    "prove": Proved,
    "calibrate": Calibrated,
}


def as_json(result: Result) -> dict[str, Any]:
    """What `read` reads."""
    return asdict(result)


def read(kind: Kind, content: object) -> Result:
    """The result of a step of this kind. Raises ValueError for what is none."""
    made = RESULTS[kind]
    known = {one.name for one in fields(made)}
    if not isinstance(content, dict) or not isinstance(content.get("ok"), bool):
        raise ValueError(f"not the result of {kind}: {content!r:.200}")
    given = {name: value for name, value in content.items() if name in known}
    if isinstance(given.get("guessed"), list):
        given["guessed"] = tuple(given["guessed"])
    return made(**given)


def failed(kind: Kind, code: str, why: str, again: bool = False, **more: Any) -> Result:
    """The step came to nothing."""
    return RESULTS[kind](False, code, why, again, **more)
