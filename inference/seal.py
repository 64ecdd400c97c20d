"""The hashes that a bundle carries of its own files: damage shows at once.

A seal proves nothing about who made a bundle, since whoever changes a file can change the seal:
that is for the fleet's signatures. It is for cards that rot and copies that tore, whose model may
still load and answer, only not as it was made. What persons edit by hand is not under it. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

SEAL = "hashes.json"


def seal(files: Mapping[str, bytes]) -> bytes:
    """The content of `hashes.json` for these files, by relative path."""
    hashes = {name: _hash(content) for name, content in files.items() if _under(name)}
    return json.dumps(hashes, sort_keys=True, indent=1).encode()


def broken(content: bytes | None, files: Mapping[str, bytes]) -> list[str]:
    """What is not as it was sealed, in words; empty without a seal."""
    if content is None:
        return []
    try:
        stated = json.loads(content)
    except (ValueError, RecursionError) as error:
        return [f"{SEAL}: not JSON: {error}"]
    if not isinstance(stated, dict):
        return [f"{SEAL}: not a JSON object"]
    names = sorted({name for name in files if _under(name)} | set(stated))
    problems = []
    for name in names:
        if name not in files:
            problems.append(f"{name}: missing, but {SEAL} names it")
        elif stated.get(name) != _hash(files[name]):
            problems.append(f"{name}: not the bytes that were packed, says {SEAL}: damaged?")
    return problems


def _under(name: str) -> bool:
    return name in ("model.tflite", "baseline.json") or name.startswith("golden/")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
