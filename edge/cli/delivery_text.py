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
    lines += _model_lines(content.get("models"))
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


def _model_lines(said: dict[str, Any] | None) -> list[str]:
    """What the fleet wants here, and how far it has come. Without a root of trust nothing."""
    if said is None or said["state"] == "no_trust_root":
        return []
    lines = [f"models: {_wanted(said)}"]
    if refusal := said["refusal"]:
        words = f"{refusal['code']} at {refusal['at']}: {refusal['why']}"
        lines += [f"  the fleet's newest word was refused: {words}", f"  mend: {refusal['mend']}"]
    if said["ignored"]:
        counts = ", ".join(f"{count} {code}" for code, count in sorted(said["ignored"].items()))
        lines.append(f"  pieces without effect: {counts}")
    return lines


def _wanted(said: dict[str, Any]) -> str:
    desired = said["desired"]
    if desired is None:
        return "the fleet has assigned none"
    named = f"{desired['name']} {desired['version']}, assignment {desired['serial']}"
    if said["state"] == "none":
        return f"{named} ({desired['action']}): nothing to fetch"
    waits = f" ({said['code']}: {said['why']})" if said["code"] else ""
    paused = ", paused by the fleet" if desired["action"] == "pause" else ""
    if said["state"] == "verified":
        return f"{named}: here and verified{paused}"
    if said["state"] == "refused":
        return f"{named}: refused{waits}"
    here, size = said["bytes"] / 1e6, said["size"] / 1e6
    return f"{named}: {said['state']}, {here:.1f} of {size:.1f} MB{paused}{waits}"
