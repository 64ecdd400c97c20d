"""What the status says of storage, for people."""

from __future__ import annotations

from collections.abc import Iterator


def storage_lines(storage: object) -> Iterator[str]:
    """How full it is and how long it lasts; then what was given up, where something was."""
    if not isinstance(storage, dict):
        return
    from edge.retention.outlook import size

    used, limit = storage.get("used_bytes"), storage.get("limit_bytes")
    if isinstance(used, int) and isinstance(limit, int):
        yield f"storage: {size(used)} of {size(limit)}; {storage.get('words')}"
    given_up, awaited = storage.get("given_up"), storage.get("given_up_though_awaited")
    deleted = storage.get("deleted")
    if given_up or deleted:
        yield f"since start, to make room or by age: pictures {given_up}, records {deleted}"
    if awaited:
        yield f"pictures given up that somebody waited for: {awaited}"
    if storage.get("ballast") is False:
        yield "the disk is full: the last room is for records, pictures are not kept"
