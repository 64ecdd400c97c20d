"""The story of a part in phrases, for any language. Pure.

A phrase is a key of the texts (`story.…` in edge/web/texts) and what is filled into it: words,
numbers, or other phrases.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone, tzinfo
from typing import TYPE_CHECKING, Any

from edge.decision.challenge import TAG
from edge.review.correction import SCHEMA as CORRECTION

if TYPE_CHECKING:
    from edge.store.archive import Story

Content = Mapping[str, Any]
Texts = Callable[..., str]
BECAUSE = frozenset(
    {
        "confident_accept",
        "confident_reject",
        "uncertain_escalate",
        "uncertain_reject",
        "automation_escalate",
        "doubt_escalate",
        "fault_escalate",
        "late_escalate",
        "overrun_escalate",
    }
)
BY = ("model", "person", "fallback")
MODEL = ("story.model", "story.no_model", "story.cuts", "story.no_cuts", "story.would")
"""Phrases that tell what the model said, or would have done."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text and what is filled into it."""

    key: str
    facts: Mapping[str, object] = field(default_factory=dict)


def say(texts: Texts, phrase: Phrase) -> str:
    """The phrase in the language of these texts."""
    facts = {
        name: say(texts, value) if isinstance(value, Phrase) else value
        for name, value in phrase.facts.items()
    }
    return texts(phrase.key, **facts)


def phrases(story: Story, zone: tzinfo, said: Iterable[Mapping[str, Any]] = ()) -> Iterator[Phrase]:
    """Everything that an auditor asks about one inspection, in order. `said` are the answers and
    corrections about it.

    Raises ValueError, KeyError, TypeError for a damaged record.
    """
    content: Content = json.loads(story.inspection.body)
    yield _who_and_when(content, zone)
    yield _model(content)
    yield _cuts(content)
    yield _degree(content, story)
    yield from _decision(content)
    yield _doubts(content)
    yield _final(content, story, zone)
    for one in said:
        yield _said(one, zone)
    yield from _evidence(content, story)


def local_time(text: str, zone: tzinfo) -> datetime:
    """The UTC time of a record in the station's zone. Raises ValueError."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return moment.astimezone(zone)


def plain(text: str) -> str:
    """Text from outside (a part's id) without what could drive a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _who_and_when(content: Content, zone: tzinfo) -> Phrase:
    named = content["part_id"]
    part = Phrase("story.part", {"part": plain(named)}) if named else Phrase("story.no_part")
    facts = {
        "id": content["id"],
        "part": part,
        "station": content["station"],
        "at": _time(content["captured_at"], zone),
        "clock": Phrase("story.synced" if content["clock_synced"] else "story.unsynced"),
    }
    return Phrase("story.who", facts)


def _model(content: Content) -> Phrase:
    model = content["model"]
    if content["score"] is None or model is None:
        fault = content.get("fault")
        return Phrase("story.no_model", {"why": f" ({fault})" if fault else ""})
    facts = {
        "name": model.get("name"),
        "version": model.get("version"),
        "bundle": str(model.get("bundle"))[:12],
        "runtime": content["runtime"],
        "score": repr(content["score"]),
        "label": repr(content["label"]),
    }
    return Phrase("story.model", facts)


def _cuts(content: Content) -> Phrase:
    cuts = content["cuts"]
    if cuts is None:
        return Phrase("story.no_cuts")
    source = (
        Phrase("story.calibrated", {"calibration": content["calibration"]})
        if cuts.get("certified", True)
        else Phrase("story.by_hand")
    )
    low, high = repr(cuts["accept_below"]), repr(cuts["reject_above"])
    return Phrase("story.cuts", {"source": source, "accept_below": low, "reject_above": high})


def _degree(content: Content, story: Story) -> Phrase:
    if story.automation is None:
        return Phrase("story.degree", {"degree": content["automation"]})
    change: Content = json.loads(story.automation.body)
    by = {"by": change["by"], "account": change["account"] or "–"}
    facts = {
        "degree": content["automation"],
        "who": Phrase("story.person", by) if change["by"] else Phrase("story.station"),
        "at": change["at"],
        "change": f"{change['action']} {change['degree']}",
        "reason": plain(change["reason"]),
    }
    return Phrase("story.degree_changed", facts)


def _decision(content: Content) -> Iterator[Phrase]:
    key = f"{content['reason']}_{content['decision']}"
    because = (
        Phrase(f"story.because.{key}")
        if key in BECAUSE
        else Phrase("story.because.other", {"reason": content["reason"]})
    )
    decided = Phrase(f"story.decided.{content['decision']}")
    yield Phrase("story.decision", {"decided": decided, "because": because})
    would = content["would_be"]
    if would is not None and would != content["decision"]:
        yield Phrase("story.would", {"decided": Phrase(f"story.decided.{would}")})


def _doubts(content: Content) -> Phrase:
    told = []
    for doubt in content["doubts"]:
        measured, limit = doubt.get("measured"), doubt.get("limit")
        if measured is None:
            told.append(Phrase("story.doubt", {"name": doubt["name"]}))
            continue
        facts = {"name": doubt["name"], "measured": f"{measured:g}"}
        if limit is None:
            told.append(Phrase("story.doubt_measured", facts))
        else:
            told.append(Phrase("story.doubt_limit", {**facts, "limit": f"{limit:g}"}))
    if not told:
        return Phrase("story.no_doubts")
    joined = told[0]
    for one in told[1:]:
        joined = Phrase("story.and", {"first": joined, "second": one})
    return Phrase("story.doubts", {"doubts": joined})


def _final(content: Content, story: Story, zone: tzinfo) -> Phrase:
    if story.disposition is None:
        if story.open is not None:
            return Phrase("story.waits")
        return Phrase("story.unrecorded" if content["asked"] else "story.not_asked")
    final: Content = json.loads(story.disposition.body)
    if TAG in content["tags"]:
        return Phrase("story.challenge")
    by = final["by"]
    facts = {
        "fate": Phrase(f"story.fate.{final['disposition']}"),
        "by": Phrase(f"story.by.{by}") if by in BY else Phrase("story.by.other", {"by": by}),
        "verdict": Phrase("story.verdict", {"verdict": final["verdict"]})
        if final["verdict"]
        else "",
        "at": _time(final["at"], zone),
    }
    return Phrase("story.final", facts)


def _said(one: Mapping[str, Any], zone: tzinfo) -> Phrase:
    """An answer, one that was taken back, or a correction."""
    corrected = one["schema"] == CORRECTION
    word = one["to"] if corrected else "hold" if one.get("hold") else one["verdict"]
    label = one["label"]
    facts = {
        "by": plain(one["by"]),
        "at": _time(one["at"], zone),
        "verdict": one["verdict"] or "–",
        "id": one["id"],
        "said": plain(word + (f" ({label})" if label else "")) if word else "",
        "seen": Phrase("story.seen" if one["answer_shown"] else "story.blind"),
        "reason": plain(one.get("reason") or "–"),
    }
    if not corrected:
        return Phrase("story.said", facts)
    if word is None:
        return Phrase("story.undone" if one["undo"] else "story.taken_back", facts)
    return Phrase("story.corrected", facts)


def _evidence(content: Content, story: Story) -> Iterator[Phrase]:
    image, missing = content["image"], content.get("image_missing")
    if image is not None:
        yield Phrase("story.picture", {"path": image["path"], "sha256": image["sha256"]})
    else:
        yield Phrase("story.no_picture", {"why": f" ({missing})" if missing else ""})
    if content["truth"]:
        yield Phrase("story.truth", {"truth": content["truth"]})
    facts = {
        "software": content["software"],
        "config": content["config"][:12],
        "seq": story.inspection.seq,
        "epoch": content["epoch"],
        "hash": story.inspection.hash,
    }
    yield Phrase("story.place", facts)


def _time(text: str, zone: tzinfo) -> str:
    return f"{local_time(text, zone):%Y-%m-%d %H:%M:%S} {zone}"
