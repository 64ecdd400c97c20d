"""What a station has already taken from its fleet, so that it never takes anything older.

Two files hold it, each whole, with its hash, and through a power cut: while one of them is sound,
nothing is forgotten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sync.durable import replace_file

SCHEMA = "trust/1"
MOST_KEYS = 64
NAMES = ("trust.copy.json", "trust.json")
"""In the order in which they are written."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The version of a document that was accepted, and the keys that its role then had."""

    version: int
    keys: tuple[str, ...]

    def holds(self, keys: Iterable[str], threshold: int) -> bool:
        """Whether older documents of this role could still be signed well enough.

        When too few of the keys of that time are left, none of them can; then the floor ends. That
        is how a fleet recovers from a thief who signed absurdly high versions: by other keys.
        """
        return len(set(self.keys) & set(keys)) >= threshold


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered. `anchor` is the sha256 of the file a person brought, `root` the newest
    root that follows from it; `known_keys` are the ids that a role ever had; `serial`, `assignment`
    (its sha256) and `holder` (the role that signed it) are of the newest accepted assignment."""

    anchor: str = ""
    root: str = ""
    root_version: int = 0
    floors: Mapping[str, Floor] = field(default_factory=dict)
    known_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    serial: int = 0
    assignment: str = ""
    holder: str = ""

    def knowing(self, keys: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """The known keys with these added: of each role the newest MOST_KEYS."""
        found = dict(self.known_keys)
        for role, ids in keys.items():
            older = [one for one in found.get(role, ()) if one not in ids]
            found[role] = (*older, *ids)[-MOST_KEYS:]
        return found


class MemoryFile:
    """The two files in `folder`. `tell` hears of what could not be read."""

    def __init__(self, folder: Path, tell: Callable[[str], None] = lambda what: None) -> None:
        self.folder = folder
        self._tell = tell
        self._writes = 0

    def read(self) -> Memory:
        """What was written last; an empty memory where neither file is sound."""
        found = [one for one in map(self._read, NAMES) if one is not None]
        if not found:
            if any((self.folder / name).exists() for name in NAMES):
                self._tell("what was accepted before is lost: beginning at the root file")
            return Memory()
        self._writes, memory = max(found, key=lambda one: one[0])
        return memory

    def write(self, memory: Memory) -> None:
        """Both files, through a power cut. Raises OSError; one sound file is then still there."""
        self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._writes += 1
        content = {"schema": SCHEMA, "writes": self._writes, **asdict(memory)}
        text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
        sealed = hashlib.sha256(text).hexdigest().encode() + b"\n" + text
        for name in NAMES:
            replace_file(self.folder / name, sealed)

    def _read(self, name: str) -> tuple[int, Memory] | None:
        try:
            sealed = (self.folder / name).read_bytes()
            seal, _, text = sealed.partition(b"\n")
            if hashlib.sha256(text).hexdigest().encode() != seal:
                raise ValueError("its hash is not that of its content")
            content = json.loads(text)
            if content.pop("schema") != SCHEMA:
                raise ValueError(f"not {SCHEMA}")
            return content.pop("writes"), _memory(content)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._tell(f"{name} is not used: {error}")
            return None


class TimeFloor:
    """A time that is certainly over: `time.json`. It ends when a person deletes the file."""

    def __init__(self, folder: Path, tell: Callable[[str], None] = lambda what: None) -> None:
        self._path = folder / "time.json"
        self._tell = tell

    def read(self) -> float:
        """Seconds since 1970; 0 where nothing is known."""
        try:
            at = json.loads(self._path.read_bytes())["at"]
            return datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()
        except FileNotFoundError:
            return 0.0
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            self._tell(f"time.json is not used: {error}")
            return 0.0

    def write(self, at: float) -> None:
        """Remember it through a power cut. Raises OSError."""
        self._path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        text = iso(at)
        replace_file(self._path, json.dumps({"schema": "time/1", "at": text}).encode())


def iso(at: float) -> str:
    """UTC in ISO 8601, to the second."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _memory(content: dict[str, Any]) -> Memory:
    floors = {
        role: Floor(said["version"], tuple(said["keys"]))
        for role, said in content.pop("floors").items()
    }
    known = {role: tuple(ids) for role, ids in content.pop("known_keys").items()}
    return Memory(floors=floors, known_keys=known, **content)
