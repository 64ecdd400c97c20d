"""How far delivery is, in a file that survives a power cut."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from sync.window import Mark

SCHEMA = "sync-position/1"
_HASH = re.compile(r"[0-9a-f]{64}")


class PositionFile:
    """One mark per stream in `sync.json`.

    The file is a hint, not a record: when it is missing, damaged or too old, delivery starts
    earlier and records arrive twice, which readers filter by (stream, epoch, seq).
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Mark]:
        """What was written last; nothing at all when the file is missing or not sound."""
        try:
            content = json.loads(self.path.read_bytes())
            if content["schema"] != SCHEMA:
                return {}
            return {stream: _mark(mark) for stream, mark in content["streams"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def write(self, marks: Mapping[str, Mark]) -> None:
        """Replace the file whole: temporary, fsync, rename, fsync of the folder. Raises OSError;
        the old file is then still there."""
        streams = {
            stream: {"epoch": mark.epoch, "seq": mark.seq, "hash": mark.hash}
            for stream, mark in marks.items()
        }
        data = json.dumps({"schema": SCHEMA, "streams": streams}).encode()
        temporary = self.path.with_name(f".{self.path.name}.new")
        with open(temporary, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _mark(content: Mapping[str, object]) -> Mark:
    epoch, seq, last = content["epoch"], content["seq"], content["hash"]
    if not isinstance(epoch, str) or not isinstance(last, str) or not _HASH.fullmatch(last):
        raise ValueError("not a mark")
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        raise ValueError("not a mark")
    return Mark(epoch, seq, last)
