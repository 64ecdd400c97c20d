"""Setting a damaged database aside: the old file is kept, a new one remembers what must be known.

    damaged/line-<epoch>/moving.json   the decision; then line.db, -wal and -shm move here
    damaged/line-<epoch>/moved.json    they are here; then the new line.db gets its memory
    damaged/line-<epoch>/about.json    done. The rows are saved later, by edge/recovery/salvage.py

The steps are separated by what is on the disk: after a power cut in between, `finish` goes on where
it was. Nobody opens a database before `finish` was called for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.files import sync_folder, write_atomically
from edge.log import log
from edge.recovery.memory import Memory, rescue
from edge.store import schema
from edge.store.durable import make_directory

FOLDER = "damaged"
MOVING, MOVED, ABOUT = "moving.json", "moved.json", "about.json"
SALVAGED = "salvaged.json"
"""Written by the salvage: what was saved, and what was lost."""
SUFFIXES = ("", "-wal", "-shm")
SCHEMA = "damage/1"

Head = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One damaged database that was set aside.

    `head` is the last record that the service knew to be on the disk, None where the damage was
    found at a start.
    """

    folder: Path
    database: str
    stream: str
    why: str
    at: str
    head: Head | None

    @property
    def path(self) -> Path:
        """The damaged file."""
        return self.folder / self.database

    @property
    def salvaged(self) -> bool:
        """Whether its sound rows have been saved."""
        return (self.folder / SALVAGED).exists()


@dataclass(frozen=True, slots=True)
class Known:
    """What the service knows about its database: the newest record, and what it must remember.

    Both are None at a start. `unknown` is the state that holds where the old one cannot be read.
    """

    head: Head | None = None
    memory: Memory | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)


def set_aside(path: Path, stream: str, why: str, at: str, known: Known) -> Case:
    """Move the database away and make a new one in its place. Durable on return.

    The caller holds the lock of the service, and has no connection that it still writes with.
    Raises OSError or sqlite3.Error; `finish` then completes it once that is possible.
    """
    folder = _folder(path, known.head)
    make_directory(folder)
    about = {
        "schema": SCHEMA,
        "database": path.name,
        "stream": stream,
        "why": why,
        "at": at,
        "head": known.head,
        "memory": None if known.memory is None else known.memory.as_json(),
        "unknown": dict(known.unknown),
    }
    try:
        write_atomically(folder / MOVING, json.dumps(about).encode())
    except OSError:
        with contextlib.suppress(OSError):
            folder.rmdir()
        raise
    log.error("database.damaged", file=path.name, why=why, aside=f"{FOLDER}/{folder.name}")
    finish(path)
    return _case(folder, about)


def finish(path: Path) -> bool:
    """Complete what a power cut or a full disk has interrupted; whether there was such a thing.

    Raises OSError or sqlite3.Error; call it again then.
    """
    found = False
    for folder in _folders(path.parent):
        if (folder / MOVING).exists() and _read(folder / MOVING).get("database") == path.name:
            _move(path, folder)
        if (folder / MOVED).exists() and _read(folder / MOVED).get("database") == path.name:
            about = _read(folder / MOVED)
            found = True
            if not path.exists():
                _succeed(path, folder, about)
            _step(folder, MOVED, ABOUT)
    return found


def cases(state_dir: Path) -> list[Case]:
    """Every database that was set aside here and is still kept, oldest first."""
    found = [
        _case(folder, about)
        for folder in _folders(state_dir)
        if (about := _read(folder / ABOUT)).get("schema") == SCHEMA
    ]
    return sorted(found, key=lambda case: (case.at, case.folder.name))


def _folder(path: Path, head: Head | None) -> Path:
    name = str(uuid.uuid4()) if head is None else head[0]
    folder = path.parent / FOLDER / f"{path.stem}-{name}"
    return folder if not folder.exists() else _folder(path, None)


def _move(path: Path, folder: Path) -> None:
    # The database first: a reader that opens it at this moment sees that the path has changed, and
    # SQLite leaves the log of a database alone that is no longer where it was opened.
    for suffix in SUFFIXES:
        source, target = path.with_name(path.name + suffix), folder / (path.name + suffix)
        if source.exists() and not target.exists():
            os.rename(source, target)
    sync_folder(folder)
    sync_folder(path.parent)
    _step(folder, MOVING, MOVED)


def _succeed(path: Path, folder: Path, about: Mapping[str, Any]) -> None:
    """A new database with the memory of the old one, under its name only when it is complete."""
    memory = _memory(about) or rescue(folder / path.name)
    memory.settle(about.get("unknown", {}))
    partial = path.with_name(path.name + ".new")
    for suffix in (*SUFFIXES, "-journal"):
        partial.with_name(partial.name + suffix).unlink(missing_ok=True)
    database = schema.connect_writer(partial)
    try:
        schema.migrate(database, partial)
        database.execute("BEGIN IMMEDIATE")
        memory.write(database)
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        database.close()
    os.rename(partial, path)
    sync_folder(path.parent)


def _memory(about: Mapping[str, Any]) -> Memory | None:
    try:
        return Memory.from_json(about["memory"])
    except (KeyError, TypeError, ValueError):
        return None


def _step(folder: Path, before: str, after: str) -> None:
    os.rename(folder / before, folder / after)
    sync_folder(folder)


def _folders(state_dir: Path) -> Iterator[Path]:
    try:
        yield from sorted(path for path in (state_dir / FOLDER).iterdir() if path.is_dir())
    except FileNotFoundError:
        return


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _case(folder: Path, about: Mapping[str, Any]) -> Case:
    head = about.get("head")
    return Case(
        folder,
        str(about.get("database")),
        str(about.get("stream")),
        str(about.get("why")),
        str(about.get("at")),
        (str(head[0]), int(head[1]), str(head[2])) if head else None,
    )
