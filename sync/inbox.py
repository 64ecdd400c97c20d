"""What the fleet has sent, for the line to read: `assignment.json` and the bundle's file.

Sync alone writes this folder. The assignment is there before its file is fetched, and the file has
its name only when it is whole and proven.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from sync.assignment import Assignment, BundleFile, parse
from sync.durable import replace_file, sync_folder
from sync.incoming import Incoming, paths
from sync.refusals import REFUSALS

SCHEMA = "inbox/1"
NAME = "assignment.json"
State = Literal["none", "assigned", "downloading", "verified", "refused"]
STATES: tuple[State, ...] = ("none", "assigned", "downloading", "verified", "refused")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the newest pack was not taken, and when; `code` is one of sync/refusals.py."""

    code: str
    why: str
    mend: str
    at: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The assignment in force, and how far its file is.

    `state` is `none` where nothing is to be fetched. `code` and `why`: why it was refused, or what
    it waits for. `refusal` is about a later pack, which changed nothing.
    """

    assignment: Assignment | None = None
    received_at: str | None = None
    state: State = "none"
    code: str | None = None
    why: str | None = None
    bytes: int = 0
    refusal: Refusal | None = None

    @property
    def bundle(self) -> BundleFile | None:
        """The file that belongs to it: none when the candidate is dropped."""
        if self.assignment is None or self.assignment.action in ("cancel", "rollback"):
            return None
        return self.assignment.bundle

    @property
    def file(self) -> str | None:
        """The name of the file, once it is whole."""
        named = self.state == "verified" and self.bundle is not None
        return file_name(self.bundle) if named and self.bundle else None

    def turned(self, state: State, code: str | None = None, why: str | None = None) -> Entry:
        """The same assignment in another state."""
        return replace(self, state=state, code=code, why=why)

    def as_json(self) -> dict[str, object]:
        """What the line reads."""
        assignment = self.assignment
        return {
            "schema": SCHEMA,
            "assignment": None if assignment is None else assignment.as_json(),
            "received_at": self.received_at,
            "state": self.state,
            "code": self.code,
            "why": self.why,
            "bytes": self.bytes,
            "size": self.bundle.size if self.bundle else 0,
            "file": self.file,
            "refusal": None if self.refusal is None else asdict(self.refusal),
        }


class Inbox:
    """The folder. Everything that writes raises OSError; what was there before is then intact."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> Entry:
        """The entry; an empty one where there is none that could be used."""
        try:
            return _entry(json.loads((self.folder / NAME).read_bytes()))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return Entry()

    def write(self, entry: Entry) -> None:
        """Replace the entry, durably."""
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
        replace_file(self.folder / NAME, json.dumps(entry.as_json(), allow_nan=False).encode())

    def sweep(self, bundle: BundleFile | None) -> None:
        """Delete whatever does not belong to this bundle, or to any."""
        kept = {NAME}
        if bundle is not None:
            part, marks = paths(self.folder, bundle.sha256)
            kept |= {part.name, marks.name, file_name(bundle)}
        if not self.folder.is_dir():
            return
        with os.scandir(self.folder) as found:
            gone = [(one.name, one.is_dir(follow_symlinks=False)) for one in found]
        gone = [(name, folder) for name, folder in gone if folder or name not in kept]
        for name, folder in gone:
            if folder:  # nobody of ours made it; one that stays, such as lost+found, is no harm
                shutil.rmtree(self.folder / name, ignore_errors=True)
            else:
                (self.folder / name).unlink(missing_ok=True)
        if gone:
            sync_folder(self.folder)

    def file(self, bundle: BundleFile) -> Path:
        """Where the whole file is, or will be."""
        return self.folder / file_name(bundle)

    def open(self, bundle: BundleFile) -> Incoming:
        """The pieces of a file that are here."""
        return Incoming(self.folder, bundle)

    def reopen(self, bundle: BundleFile) -> Incoming:
        """The same, of a whole file that is damaged: each piece is looked at."""
        part, marks = paths(self.folder, bundle.sha256)
        marks.unlink(missing_ok=True)
        os.replace(self.file(bundle), part)
        return self.open(bundle)


def file_name(bundle: BundleFile) -> str:
    """The name of the whole file."""
    return f"{bundle.sha256}.zip"


def _entry(content: Mapping[str, Any]) -> Entry:
    """Raises ValueError, TypeError, KeyError, AttributeError."""
    known = content["code"] is None or content["code"] in REFUSALS
    if content["schema"] != SCHEMA or content["state"] not in STATES or not known:
        raise ValueError("not an entry of the inbox")
    said, refusal = content["assignment"], content.get("refusal")
    text = json.dumps(said, separators=(",", ":")).encode()
    assignment = None if said is None else parse(text)
    return Entry(
        assignment,
        content["received_at"],
        content["state"],
        content["code"],
        content["why"],
        int(content["bytes"]),
        None if refusal is None else Refusal(**refusal),
    )
