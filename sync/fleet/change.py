"""Other keys for the roles of a repository: the documents that follow from that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.fleet.keys import PublicKey
from sync.fleet.metadata import (
    BINS,
    SLOW_DAYS,
    Document,
    MetadataError,
    check_threshold,
    following,
)


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to the keys: by role, one of `OFFLINE` or `ONLINE`."""

    add: Mapping[str, Sequence[PublicKey]] = field(default_factory=dict)
    remove: Mapping[str, Sequence[str]] = field(default_factory=dict)
    thresholds: Mapping[str, int] = field(default_factory=dict)


def with_keys(
    root: Document, targets: Document, change: Change, at: float
) -> tuple[Document, Document | None]:
    """The next root, unsigned, and the next targets where those must be signed anew: where their
    keys, or the key of the assignments, are others. Raises MetadataError."""
    new_root, new_targets = following(root, at, SLOW_DAYS), following(targets, at, SLOW_DAYS)
    delegations = new_targets.signed.delegations
    assert delegations is not None
    assert delegations.succinct_roles is not None
    touched = {*change.add, *change.remove, *change.thresholds}
    for name in touched:
        role = delegations.succinct_roles if name == BINS else new_root.signed.roles[name]
        _change_role(name, role, change)
    known = {**root.signed.keys, **delegations.keys}
    known.update({key.keyid: key for keys in change.add.values() for key in keys})
    used = {keyid for role in new_root.signed.roles.values() for keyid in role.keyids}
    new_root.signed.keys = {keyid: known[keyid] for keyid in sorted(used)}
    delegations.keys = {keyid: known[keyid] for keyid in delegations.succinct_roles.keyids}
    return new_root, new_targets if touched & {"targets", BINS} else None


def keys_of(root: Document, targets: Document) -> dict[str, dict[str, Any]]:
    """The keys of each role, by id."""
    delegations = targets.signed.delegations
    found = {
        name: {keyid: root.signed.keys[keyid] for keyid in role.keyids}
        for name, role in root.signed.roles.items()
    }
    return {**found, BINS: {k: delegations.keys[k] for k in delegations.succinct_roles.keyids}}


def _change_role(name: str, role: Any, change: Change) -> None:
    for keyid in change.remove.get(name, ()):
        if keyid not in role.keyids:
            raise MetadataError(f"that key does not sign {name}")
        role.keyids.remove(keyid)
    for key in change.add.get(name, ()):
        if key.keyid in role.keyids:
            raise MetadataError(f"that key signs {name} already")
        role.keyids.append(key.keyid)
    role.threshold = change.thresholds.get(name, role.threshold)
    check_threshold(name, role)
