"""How often calibrations were tried on the same pictures: who tries often enough finds a pass."""

from __future__ import annotations

import json
import os
from pathlib import Path

FILE = "tries.jsonl"


def tries_before(folder: Path, fingerprint: str) -> int:
    """How many calibrations were tried on these very pictures; raises OSError."""
    try:
        text = (folder / FILE).read_text(errors="replace")
    except FileNotFoundError:
        return 0
    return sum(_fingerprint(line) == fingerprint for line in text.splitlines())


def note_try(folder: Path, fingerprint: str, calibration: str, at: str) -> None:
    """Remember one more, on the disk before this returns. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"pictures": fingerprint, "calibration": calibration, "at": at})
    with (folder / FILE).open("a") as stream:
        stream.write(line + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def _fingerprint(line: str) -> object:
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content.get("pictures") if isinstance(content, dict) else None
