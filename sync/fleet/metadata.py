"""The signed documents of the fleet's repository (The Update Framework), made and changed.

Nothing here reads a file, a database or a clock: times and signers are passed in. Who signs what:

    root, targets          offline keys of persons, k of n
    snapshot, timestamp    the key `online`, at `fleet serve`
    assignments-0..f       the key `assignments`, at `fleet serve`; delegated from targets
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

from securesystemslib.signer import Key, Signature, Signer
from tuf.api.exceptions import LengthOrHashMismatchError, UnsignedMetadataError
from tuf.api.metadata import (
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from sync.assignment import BundleFile

BINS = "assignments"
BIN_BITS = 4
OFFLINE = ("root", "targets")
ONLINE = ("snapshot", "timestamp", BINS)
SLOW_DAYS, FAST_DAYS = 365, 7
Document = Metadata[Any]
"""Any of them."""
_COMPACT = JSONSerializer(compact=True)


class MetadataError(ValueError):
    """A document that is none, or a change that would leave the repository unusable."""


def first_root(
    keys: Mapping[str, Sequence[Key]], thresholds: Mapping[str, int], at: float
) -> Metadata[Root]:
    """Root, version 1, unsigned. Raises MetadataError."""
    roles = {}
    for name in ("root", "targets", "snapshot", "timestamp"):
        keyids = [key.keyid for key in keys[name]]
        roles[name] = Role(keyids, thresholds.get(name, 1))
    known = {key.keyid: key for name in roles for key in keys[name]}
    root = Root(1, None, ends(at, SLOW_DAYS), known, roles, consistent_snapshot=True)
    for name, role in roles.items():
        check_threshold(name, role)
    return Metadata(root)


def first_targets(key: Key, at: float) -> Metadata[Targets]:
    """Targets, version 1, unsigned: no bundle yet, and whose key assigns."""
    roles = SuccinctRoles([key.keyid], 1, BIN_BITS, BINS)
    delegations = Delegations({key.keyid: key}, succinct_roles=roles)
    return Metadata(Targets(1, None, ends(at, SLOW_DAYS), {}, delegations))


def first_bin(at: float) -> Metadata[Targets]:
    """A bin in which nobody is assigned."""
    return Metadata(Targets(1, None, ends(at, FAST_DAYS), {}))


def first_snapshot(at: float) -> Metadata[Snapshot]:
    """Snapshot before anything is in it."""
    return Metadata(Snapshot(1, None, ends(at, FAST_DAYS)))


def first_timestamp(at: float) -> Metadata[Timestamp]:
    """Timestamp before anything is in it."""
    return Metadata(Timestamp(1, None, ends(at, FAST_DAYS)))


def with_bundle(targets: Metadata[Targets], bundle: BundleFile, at: float) -> Metadata[Targets]:
    """The next version of targets, unsigned, in which this bundle is listed."""
    changed = following(targets, at, SLOW_DAYS)
    custom = {"digest": bundle.digest, "name": bundle.name, "version": bundle.version}
    listed = TargetFile(bundle.size, {"sha256": bundle.sha256}, bundle.path, {"custom": custom})
    changed.signed.targets[bundle.path] = listed
    return changed


def without_bundle(targets: Metadata[Targets], digest: str, at: float) -> Metadata[Targets]:
    """The next version of targets, unsigned, in which no file of this bundle is listed. Raises
    MetadataError where none is."""
    changed = following(targets, at, SLOW_DAYS)
    files = changed.signed.targets
    gone = [path for path, one in files.items() if (one.custom or {}).get("digest") == digest]
    if not gone:
        raise MetadataError("that bundle is not listed")
    for path in gone:
        del files[path]
    return changed


def lists(targets: Metadata[Targets], bundle: BundleFile) -> bool:
    """Whether this very file is listed."""
    there = targets.signed.targets.get(bundle.path)
    return (
        there is not None
        and there.length == bundle.size
        and there.hashes == {"sha256": bundle.sha256}
        and (there.custom or {}).get("digest") == bundle.digest
    )


def following(document: Document, at: float, days: int) -> Document:
    """A copy with the next version and a new end, unsigned. Except for root, a version is at least
    the minutes since 1970: one from before a database was lost stays lower."""
    changed = deepcopy(document)
    changed.signatures.clear()
    changed.signed.version += 1
    if not isinstance(changed.signed, Root):
        changed.signed.version = max(changed.signed.version, int(at // 60))
    changed.signed.expires = ends(at, days)
    return changed


def sign(document: Document, signers: Iterable[Signer]) -> None:
    """Add the signatures of these; earlier ones stay."""
    for signer in signers:
        document.sign(signer, append=True)


def attach(document: Document, keyid: str, sig: str) -> None:
    """Add a signature that was made elsewhere; `only_sound` drops it where it does not fit."""
    document.signatures[keyid] = Signature(keyid, sig)


def wanted(document: Document, root: Metadata[Root]) -> dict[str, Key]:
    """The keys that may still sign this root or targets, by id. For a next root, `root` is the
    one in force; for targets, the one that they will be checked by."""
    if isinstance(document.signed, Root):
        found = document.signed.get_root_verification_result(
            root.signed, document.signed_bytes, document.signatures
        )
        return found.unsigned
    result = root.signed.get_verification_result(
        "targets", document.signed_bytes, document.signatures
    )
    return result.unsigned


def missing(document: Document, root: Metadata[Root]) -> int:
    """How many signatures are still needed, at least; as `wanted`. Raises MetadataError for a root
    that does not follow this one."""
    signed_bytes, signatures = document.signed_bytes, document.signatures
    if not isinstance(document.signed, Root):
        result = root.signed.get_verification_result("targets", signed_bytes, signatures)
        return result.missing
    try:
        both = document.signed.get_root_verification_result(root.signed, signed_bytes, signatures)
    except ValueError as error:
        raise MetadataError(str(error)) from error
    return max(both.first.missing, both.second.missing)


def only_sound(document: Document, root: Metadata[Root]) -> None:
    """Drop signatures that are not by a key that may sign this, or do not fit."""
    unsound = wanted(document, root)
    if isinstance(document.signed, Root):
        may = {*document.signed.roles["root"].keyids, *root.signed.roles["root"].keyids}
    else:
        may = set(root.signed.roles["targets"].keyids)
    for keyid in list(document.signatures):
        if keyid not in may or keyid in unsound:
            del document.signatures[keyid]


def pointing(
    snapshot: Metadata[Snapshot], documents: Mapping[str, Document], at: float
) -> Metadata[Snapshot]:
    """The next snapshot, unsigned, that names these very documents; others as before."""
    changed = following(snapshot, at, FAST_DAYS)
    for name, document in documents.items():
        changed.signed.meta[f"{name}.json"] = _named(document)
    return changed


def stamped(
    timestamp: Metadata[Timestamp], snapshot: Metadata[Snapshot], at: float
) -> Metadata[Timestamp]:
    """The next timestamp, unsigned, for this snapshot."""
    changed = following(timestamp, at, FAST_DAYS)
    changed.signed.snapshot_meta = _named(snapshot)
    return changed


def bin_of(station: str) -> str:
    """The name of the bin that holds a station's assignment."""
    return _SUCCINCT.get_role_for_target(path_of(station))


def bins() -> list[str]:
    """The names of all bins."""
    return list(_SUCCINCT.get_roles())


def path_of(station: str) -> str:
    """The target that is a station's assignment."""
    return f"assignments/{station}.json"


def put_target(document: Metadata[Targets], path: str, data: bytes) -> None:
    """List these bytes under this name."""
    document.signed.targets[path] = TargetFile.from_data(path, data, ["sha256"])


def to_bytes(document: Document) -> bytes:
    """The document as it is stored and sent."""
    return document.to_bytes(_COMPACT)


def from_bytes(data: bytes, kind: str) -> Document:
    """A document of this kind (`root`, `targets`, `snapshot`, `timestamp`). Raises MetadataError;
    says nothing of its signatures."""
    try:
        document: Document = Metadata.from_bytes(data)
    except DeserializationError as error:
        raise MetadataError(f"no signed document: {error}") from error
    if document.signed.type != kind:
        raise MetadataError(f"a {document.signed.type} instead of {kind}")
    return document


def vouched(root: Document, data: bytes, kind: str) -> Document:
    """A document of this kind, by the keys that the root names for it. Raises MetadataError."""
    document = from_bytes(data, kind)
    try:
        root.signed.verify_delegate(kind, document.signed_bytes, document.signatures)
    except UnsignedMetadataError as error:
        raise MetadataError(str(error)) from error
    return document


def is_it(said: MetaFile | TargetFile, data: bytes) -> bool:
    """Whether these are the bytes that a signed document names."""
    try:
        said.verify_length_and_hashes(data)
    except LengthOrHashMismatchError:
        return False
    return True


def ends(at: float, days: int) -> datetime:
    """When something ends that is signed now; whole seconds, UTC."""
    now = datetime.fromtimestamp(int(at), timezone.utc)
    return now + timedelta(days=days)


def _named(document: Document) -> MetaFile:
    """Version, length and hash: a reader knows how much to take, and that it is this very one."""
    data = to_bytes(document)
    return MetaFile(document.signed.version, len(data), {"sha256": sha256(data).hexdigest()})


def check_threshold(name: str, role: Role) -> None:
    """Raises MetadataError where a role could never be signed."""
    if not 1 <= role.threshold <= len(role.keyids):
        raise MetadataError(
            f"{name} has {len(role.keyids)} keys and would need {role.threshold} of them"
        )


_SUCCINCT = SuccinctRoles([], 1, BIN_BITS, BINS)
