"""Whether a pack that the broker holds is one of ours, as it was made. Pure.

Anyone may publish anything where a broker has no ACL. What only looks like our pack would be left
there, and its station would refuse it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import MetaFile, TargetFile

from sync.fleet import metadata
from sync.fleet.metadata import MetadataError
from sync.pack import unpack
from sync.refusals import TrustRefused

NONE = -1
AHEAD_S = 3600.0
"""A pack says itself when it was sent: no later than now, but for the clocks of two machines."""


def version(data: bytes, station: str, roots: Mapping[int, bytes], now: float) -> int:
    """The version of the timestamp in a station's pack; NONE for what is not ours, all of it.

    `roots` are all that there are. The newest vouches for the timestamp, and by hashes that for the
    snapshot, the list, the bin and the assignment. Whether it is the newest, is not asked.
    """
    try:
        pack = unpack(data)
        if not roots or pack.sent > now + AHEAD_S:
            return NONE
        files = {name: text.encode() for name, text in pack.files.items()}
        return _version(files, station, roots)
    except (TrustRefused, MetadataError, RepositoryError, LookupError, ValueError):
        return NONE


def _version(files: dict[str, bytes], station: str, roots: Mapping[int, bytes]) -> int:
    for number, body in roots.items():
        if files.pop(f"{number}.root.json") != body:
            return NONE
    root = metadata.from_bytes(roots[max(roots)], "root").signed
    timestamp = metadata.from_bytes(files.pop("timestamp.json"), "timestamp")
    root.verify_delegate("timestamp", timestamp.signed_bytes, timestamp.signatures)
    said: MetaFile = timestamp.signed.snapshot_meta
    snapshot = metadata.from_bytes(_named(files, "snapshot", said), "snapshot").signed
    _named(files, "targets", snapshot.meta["targets.json"])
    name = metadata.bin_of(station)
    bin_ = metadata.from_bytes(_named(files, name, snapshot.meta[f"{name}.json"]), "targets")
    path = metadata.path_of(station)
    target: TargetFile = bin_.signed.targets[path]
    target.verify_length_and_hashes(files.pop(f"targets/{path}"))
    return NONE if files else int(timestamp.signed.version)


def _named(files: dict[str, bytes], name: str, said: MetaFile) -> bytes:
    data = files.pop(f"{said.version}.{name}.json")
    said.verify_length_and_hashes(data)
    return data
