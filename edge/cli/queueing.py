"""The queue in words: a row for each question, one part without what would lead the person, and
what an answer came to."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from edge.telling import local_time, plain

if TYPE_CHECKING:
    from edge.review.questions import Question
    from edge.store.archive import Archive

FATES = {"accept": "accepted", "reject": "rejected", "hold": "held back"}
BY = {"model": "by the model", "person": "by a person", "fallback": "by the fall-back"}
LEADING = ("score", "label", "scores", "would_be", "decision", "cuts")


def heading() -> str:
    """Above the rows of `queue list`."""
    return f"{'since':<19}  {'part':<14}  {'because':<10}  {'time left':>9}  id"


def in_a_row(question: Question, zone: str) -> str:
    """One line of `queue list`."""
    since = f"{local_time(question.since, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"
    left = "–" if question.left_s is None else f"{max(0, round(question.left_s))} s"
    part = plain(question.part_id or "–")
    return f"{since:<19}  {part:<14}  {question.reason:<10}  {left:>9}  {question.inspection}"


def as_shown(
    asked: dict[str, Any], line: Archive, queue: Archive, state_dir: Path
) -> dict[str, Any]:
    """What a person may see of this part before answering."""
    from edge.review.verdict import drawn, shows_answer
    from edge.review.verdicts import latest

    image = asked["image"]
    final = line.disposition(asked["id"])
    shown: dict[str, Any] = {
        "id": asked["id"],
        "part_id": asked["part_id"],
        "captured_at": asked["captured_at"],
        "reason": "spot check" if drawn(asked) else asked["reason"],
        "doubts": [doubt["name"] for doubt in asked["doubts"]],
        "picture": None if image is None else str(state_dir / image["path"]),
        "answered": latest(queue, asked["id"]),
    }
    if not shows_answer(asked):
        return shown
    fate = None if final is None else json.loads(final.body)["disposition"]
    return {**shown, **{name: asked[name] for name in LEADING}, "disposition": fate}


def in_lines(shown: dict[str, Any]) -> list[str]:
    """The same for people."""
    return [f"{name:<12} {_in_words(name, value)}" for name, value in shown.items()]


def _in_words(name: str, value: Any) -> str:
    if value in (None, "", []):
        return "–"
    if name == "answered":
        said = value["verdict"] or "taken back"
        how = " (corrected)" if value["verdict"] and "correction" in value else ""
        return plain(f"{said} by {value['by']} at {value['at']}{how}; answer {value['id']}")
    return plain(", ".join(value) if isinstance(value, list) else str(value))


def outcome(
    line: Archive,
    asked: dict[str, Any],
    made: tuple[str, str],
    running: bool,
    patience_s: float,
) -> str:
    """What became of the answer `made`, its id and what it says. Waits for the line where it may
    decide the part: for as long as it could be undone, and a moment more."""
    end = time.monotonic() + patience_s
    waits = asked["decision"] == "escalate" and asked["asked"]
    answer, said = made
    while (final := line.disposition(asked["id"])) is None:
        if not waits:
            return "recorded as a label: nobody was asked about this part"
        if said == "unsure":
            return "recorded; the part goes on waiting until somebody is sure, or its deadline"
        if not running:
            return "recorded; the line is not running and will apply it when it starts"
        if time.monotonic() > end:
            return "recorded; the line has not applied it yet: see `edge-inspect status`"
        time.sleep(0.02)
    fate = json.loads(final.body)
    done = _done(fate)
    if fate["verdict"] == answer:
        return done
    return f"recorded as a label only: {done} at {fate['at']}"


def undone(found: dict[str, Any]) -> str:
    """What became of an answer that was taken back."""
    if found["state"] == "undone":
        return "undone: the part goes on waiting"
    if found["state"] == "undoing":
        return "recorded; the line has not said yet whether it came in time: see `queue show`"
    if found["fate"] is None:
        return "the label is taken back; the model's answer had been shown"
    fate = found["fate"]
    return f"too late: {_done(fate)} at {fate['at']}; the label is taken back"


def _done(fate: dict[str, Any]) -> str:
    return f"the part was {FATES[fate['disposition']]} {BY[fate['by']]}"
