"""The story of a part in sentences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from edge.cli.table import local_time, plain
from edge.decision.challenge import TAG

if TYPE_CHECKING:
    from edge.store.archive import Story

Content = dict[str, Any]

BECAUSE = {
    ("confident", "accept"): "because the score is below the accept cut",
    ("confident", "reject"): "because the score reaches the reject cut",
    ("uncertain", "escalate"): "because the score lies between the cuts",
    ("uncertain", "reject"): (
        "because the score lies between the cuts, and at the degree full"
        " everything that is not certified good is rejected"
    ),
    ("automation", "escalate"): "because at this degree, or without cuts, a person decides",
    ("doubt", "escalate"): "because there was a doubt about the picture or the prediction",
    ("fault", "escalate"): "because the model gave no usable answer",
    ("late", "escalate"): "because the model did not answer by its deadline",
    ("overrun", "escalate"): "because the part came before the line was ready for it",
}
DECIDED = {"accept": "accepted", "reject": "rejected", "escalate": "escalated to a person"}
FATES = {"accept": "accepted", "reject": "rejected", "hold": "held back"}
BY = {
    "model": "as the model's answer said",
    "person": "by a person",
    "fallback": "by the fall-back, since nobody had answered by the deadline",
}


def paragraph(story: Story, zone: str) -> str:
    """Everything that an auditor asks about one inspection, in one paragraph."""
    content: Content = json.loads(story.inspection.body)
    sentences = [
        _who_and_when(content, ZoneInfo(zone)),
        _model(content),
        _cuts(content),
        _degree(content, story),
        _decision(content),
        _doubts(content),
        _final(content, story, ZoneInfo(zone)),
        _evidence(content, story),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _who_and_when(content: Content, zone: ZoneInfo) -> str:
    part = f"part {plain(content['part_id'])}" if content["part_id"] else "a part without an id"
    synced = "was" if content["clock_synced"] else "was not known to be"
    return (
        f"Inspection {content['id']} of {part} at {content['station']} on"
        f" {_time(content['captured_at'], zone)} (the clock {synced} synchronised)."
    )


def _model(content: Content) -> str:
    model = content["model"]
    if content["score"] is None or model is None:
        why = f" ({content['fault']})" if content.get("fault") else ""
        return f"No prediction was made{why}."
    return (
        f"The model {model.get('name')} {model.get('version')} (bundle"
        f" {str(model.get('bundle'))[:12]}, {content['runtime']}) gave it the score"
        f" {content['score']!r}, the probability that the part is not good,"
        f" and the label {content['label']!r}."
    )


def _cuts(content: Content) -> str:
    cuts = content["cuts"]
    if cuts is None:
        return "No cuts were in force."
    source = (
        f"from the calibration {content['calibration']}"
        if cuts.get("certified", True)
        else "typed by hand and not certified"
    )
    return (
        f"The cuts, {source}, were: accept below {cuts['accept_below']!r},"
        f" reject from {cuts['reject_above']!r} on."
    )


def _degree(content: Content, story: Story) -> str:
    degree = f"The degree of automation in force was {content['automation']}"
    if story.automation is None:
        return f"{degree}; no change of it is recorded before this part."
    change: Content = json.loads(story.automation.body)
    who = f"{change['by']} (account {change['account']})" if change["by"] else "the station itself"
    return (
        f"{degree}; the last change before was made by {who} at {change['at']}"
        f" ({change['action']} {change['degree']}: {plain(change['reason'])})."
    )


def _decision(content: Content) -> str:
    key = (content["reason"], content["decision"])
    because = BECAUSE.get(key, f"for the reason {content['reason']}")
    would = content["would_be"]
    alone = ""
    if would is not None and would != content["decision"]:
        alone = f" By score and cuts alone it would have been {DECIDED[would]}."
    return f"It was {DECIDED[content['decision']]} {because}.{alone}"


def _doubts(content: Content) -> str:
    told = []
    for doubt in content["doubts"]:
        measured, limit = doubt.get("measured"), doubt.get("limit")
        numbers = "" if measured is None else f" (measured {measured:g}"
        if numbers:
            numbers += ")" if limit is None else f", limit {limit:g})"
        told.append(f"{doubt['name']}{numbers}")
    return f"Doubts: {', '.join(told)}." if told else "There were no doubts."


def _final(content: Content, story: Story, zone: ZoneInfo) -> str:
    if story.disposition is None:
        if story.open is not None:
            return "It waits for a person; nothing has happened to the part yet."
        if content["asked"]:
            return "A person was asked; what happened to the part is not recorded here."
        return "Nobody was asked, and no disposition is recorded."
    final: Content = json.loads(story.disposition.body)
    if TAG in content["tags"]:
        return "It was a challenge part of known truth and was held back, whatever was decided."
    by = BY.get(final["by"], f"by {final['by']}")
    verdict = f" (verdict {final['verdict']})" if final["verdict"] else ""
    return (
        f"The part was {FATES[final['disposition']]} {by}{verdict} on {_time(final['at'], zone)}."
    )


def _evidence(content: Content, story: Story) -> str:
    image = content["image"]
    if image is not None:
        picture = f"The picture is {image['path']} (sha256 {image['sha256']})."
    else:
        missing = content.get("image_missing")
        picture = "No picture was kept" + (f" ({missing})." if missing else ".")
    truth = f" Its known truth is {content['truth']}." if content["truth"] else ""
    return (
        f"{picture}{truth} Software {content['software']}, configuration"
        f" {content['config'][:12]}; record {story.inspection.seq} of epoch"
        f" {content['epoch']}, hash {story.inspection.hash}."
    )


def _time(text: str, zone: ZoneInfo) -> str:
    return f"{local_time(text, zone):%Y-%m-%d %H:%M:%S} {zone.key}"
