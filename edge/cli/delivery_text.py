"""Words for how far delivery is."""

from __future__ import annotations

from typing import Any


def delivery_lines(content: dict[str, Any]) -> list[str]:
    """Lines for the status of sync: what delivered means, and what each stream waits for."""
    if content.get("acknowledge") == "collector":
        said = content.get("collector")
        heard = f"the last one spoke at {said['at']}" if said else "none has spoken yet"
        lines = [f"delivered means: a collector holds it (sync.acknowledge: collector); {heard}"]
    else:
        lines = ["delivered means: the broker said so (sync.acknowledge: broker)"]
    for one in content.get("streams", []):
        waits = f"; waiting for the {one['waiting_for']}" if one.get("waiting_for") else ""
        gaps = "".join(f"; {count} {why}" for why, count in one.get("gaps", {}).items())
        if one.get("backlog") or gaps:
            lines.append(f"{one['name']}: backlog {one.get('backlog')} records{waits}{gaps}")
    lines += _picture_lines(content.get("pictures"))
    if content.get("ignored"):
        lines.append(f"{content['ignored']} messages without effect were ignored")
    return lines


def _picture_lines(said: dict[str, Any] | None) -> list[str]:
    if said is None:
        return []
    words = [f"{said['sent']} sent", f"{said['waiting']} wait"]
    if said["capped"]:
        words[-1] += " for tomorrow (sync.images_bytes_per_day is used up)"
    if said["missing"]:
        words.append(f"{said['missing']} missing")
    if said["too_large"]:
        words.append(f"{said['too_large']} too large")
    return ["pictures: " + ", ".join(words)]
