"""The watched bounds in words, for `edge-inspect status`."""

from __future__ import annotations

from typing import Any


def bounds_lines(bounds: dict[str, Any] | None, challenge: dict[str, Any] | None) -> list[str]:
    """What was measured under the calibration in force, and what each instrument would notice."""
    lines = []
    if challenge is not None:
        lines.append(f"challenge: the next {challenge['left']} parts are {challenge['truth']}")
    if bounds is None:
        return [*lines, "bounds: no part was decided by a calibration yet"]
    slip, challenged = bounds["slip"], bounds["challenge"]
    lines += [
        f"bounds since calibration {bounds['calibration']} ({bounds['parts']:,} parts):",
        f"  slip (defects among the accepted): {_rate(slip)}; {_answers(slip)}",
        f"  overkill (good among the rejected): {_rate(bounds['overkill_of_rejects'])};"
        f" {_answers(bounds['overkill_of_rejects'])}",
        f"  escapes by challenge parts: {_rate(challenged['escape'])},"
        f" {challenged['escape']['found']} of {challenged['escape']['parts']}",
        f"  overkill by challenge parts: {_rate(challenged['overkill'])},"
        f" {challenged['overkill']['found']} of {challenged['overkill']['parts']}",
    ]
    lines += [f"  {one['sentence']}" for one in bounds["power"]]
    between = min(one["looks_between_false_alarms"] for one in bounds["power"])
    return [
        *lines,
        f"  false alarms: on average at most one in {between:,.0f} looks of each instrument,"
        " also where a rate lies exactly at its limit",
    ]


def _rate(rate: dict[str, Any]) -> str:
    target = rate.get("target")
    aim = "" if target is None else f" (target {target:.3g})"
    if not rate["answered"]:
        return f"nothing measured{aim}"
    return f"{rate['estimate']:.3g}, between {rate['lower']:.3g} and {rate['upper']:.3g}{aim}"


def _answers(rate: dict[str, Any]) -> str:
    return f"{rate['answered']} checks answered, {rate['unanswered']} not"
