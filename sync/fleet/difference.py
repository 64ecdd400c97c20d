"""What a document changes against the one before it, for the person who is to sign it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sync.fleet.keys import name_of
from sync.fleet.metadata import BINS, Document


def of_targets(before: Document, after: Document) -> Iterator[str]:
    """Bundles that are listed or struck, and another key for the assignments."""
    old, new = before.signed.targets, after.signed.targets
    for path in sorted(new.keys() - old.keys()):
        yield f"lists {_bundle(path, new[path])}"
    for path in sorted(new.keys() & old.keys()):
        if new[path] != old[path]:
            yield f"lists {_bundle(path, new[path])} instead of {_bundle(path, old[path])}"
    for path in sorted(old.keys() - new.keys()):
        yield f"strikes {_bundle(path, old[path])}"
    ours, theirs = before.signed.delegations.succinct_roles, after.signed.delegations.succinct_roles
    keys = {**before.signed.delegations.keys, **after.signed.delegations.keys}
    yield from _keys(BINS, ours, theirs, keys)
    if before.signed.expires.date() != after.signed.expires.date():
        yield f"ends on {after.signed.expires:%Y-%m-%d}"


def of_root(before: Document, after: Document) -> Iterator[str]:
    """Whose keys count no more, whose do from then on, and how many must sign."""
    keys = {**before.signed.keys, **after.signed.keys}
    for name, role in after.signed.roles.items():
        yield from _keys(name, before.signed.roles[name], role, keys)
    if before.signed.expires.date() != after.signed.expires.date():
        yield f"ends on {after.signed.expires:%Y-%m-%d}"


def _keys(role: str, before: Any, after: Any, keys: Mapping[str, Any]) -> Iterator[str]:
    for keyid in after.keyids:
        if keyid not in before.keyids:
            yield f"{name_of(keys[keyid])} ({keyid[:12]}) may sign {role}"
    for keyid in before.keyids:
        if keyid not in after.keyids:
            yield f"{name_of(keys[keyid])} ({keyid[:12]}) signs {role} no more"
    if before.threshold != after.threshold:
        yield f"{role} needs {after.threshold} of {len(after.keyids)} keys"


def _bundle(path: str, listed: Any) -> str:
    said = listed.custom or {}
    name = f"{said.get('name')} {said.get('version')}"
    return f"{name} ({str(said.get('digest'))[:12]}, {path}, {listed.length:,} bytes)"
