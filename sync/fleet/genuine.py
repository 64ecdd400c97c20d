"""Whether a pack that the broker holds is one of ours, as it was made. Pure.

Anyone may publish anything where a broker has no ACL. What only looks like our pack would be left
there, and its station would refuse it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    except (TrustRefused, MetadataError, LookupError, ValueError):
        return NONE


def _version(files: dict[str, bytes], station: str, roots: Mapping[int, bytes]) -> int:
    for number, body in roots.items():
        if files.pop(f"{number}.root.json") != body:
            return NONE
    root = metadata.from_bytes(roots[max(roots)], "root")
    timestamp = metadata.vouched(root, files.pop("timestamp.json"), "timestamp").signed
    said = timestamp.snapshot_meta
    named = metadata.from_bytes(_named(files, "snapshot", said), "snapshot").signed.meta
    _named(files, "targets", named["targets.json"])
    name, path = metadata.bin_of(station), metadata.path_of(station)
    bin_ = metadata.from_bytes(_named(files, name, named[f"{name}.json"]), "targets").signed
    right = metadata.is_it(bin_.targets[path], files.pop(f"targets/{path}"))
    return int(timestamp.version) if right and not files else NONE


def _named(files: dict[str, bytes], name: str, said: Any) -> bytes:
    """Raises LookupError, MetadataError."""
    data = files.pop(f"{said.version}.{name}.json")
    if not metadata.is_it(said, data):
        raise MetadataError(f"another {name} than the one that was signed")
    return data
