"""The books of the fleet and the stories of its parts, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from edge.telling import plain

if TYPE_CHECKING:
    from edge.store.rows import Row
    from sync.fleet.account import Range
    from sync.fleet.ledger import AlarmTold, Entry, GapTold
    from sync.fleet.story import Found, Told

SCHEMA = "fleet-ledger/1"
REASONS = ("pruned", "lost", "too_large")
HEADING = (
    "station", "stream", "epoch", "recorded", "acknowledged", "waiting", "pruned", "lost",
    "too_large", "missing", "duplicates", "alarms",
)  # fmt: skip
WORDS = 3
"""Columns of text; the others are numbers and stand to the right."""


NO_PICTURES: Mapping[str, int] = {}


def as_json(
    store: str, entries: Sequence[Entry], pictures: Mapping[str, int] = NO_PICTURES
) -> dict[str, object]:
    """The books as one JSON object: docs/fleet.md lists the members."""
    streams = [_entry(entry) for entry in entries]
    return {"schema": SCHEMA, "store": store, "streams": streams, "pictures": dict(pictures)}


def lines(entries: Sequence[Entry], pictures: Mapping[str, int] = NO_PICTURES) -> Iterator[str]:
    """A table, then everything that is not there, and why, then the pictures of each station."""
    if not entries:
        yield "Nothing has been collected, and no station has said anything."
        return
    rows = [HEADING, *(_columns(entry) for entry in entries)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(HEADING))]
    for row in rows:
        cells = [
            text.ljust(width) if index < WORDS else text.rjust(width)
            for index, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
    for entry in entries:
        yield from _remarks(entry)
    for station, count in pictures.items():
        yield f"{station}: {count} pictures"


def story_as_json(told: Told) -> str:
    """One line; each record is its stored text, then where it stands in the chain."""
    named = {
        "inspection": told.inspection,
        "disposition": told.disposition,
        "automation": told.automation,
        "calibration": told.calibration,
    }
    pairs = [f'"{name}":{_record(found) if found else "null"}' for name, found in named.items()]
    verdicts = ",".join(_record(one) for one in told.verdicts)
    return "{" + ",".join(pairs) + f',"verdicts":[{verdicts}]}}'


def story_in_words(told: Told) -> str:
    """One paragraph. A record that lacks what records have is said to be so."""
    from edge.cli.telling import paragraph
    from edge.store.archive import Story

    story = Story(
        _row(told.inspection),
        _row(told.disposition) if told.disposition else None,
        _row(told.automation) if told.automation else None,
        _row(told.calibration) if told.calibration else None,
        None,
    )
    try:
        text = paragraph(story, "UTC")
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        text = f"The record lacks what an inspection has ({error!r}); --json shows it as it is."
    return " ".join([text, *map(_verdict, told.verdicts), _proof(told.inspection)])


def _entry(entry: Entry) -> dict[str, object]:
    account = entry.account
    return {
        **entry.key._asdict(),
        "recorded": account.recorded,
        "acknowledged": entry.through,
        "hash": entry.hash or None,
        "held": account.held,
        "waiting": account.waiting,
        **{why: account.gone.get(why, 0) for why in REASONS},
        "missing": account.missing,
        "missing_ranges": account.missing_ranges,
        "ahead": entry.ahead,
        "gaps": [_gap(gap) for gap in entry.gaps],
        "duplicates": entry.duplicates,
        "conflicts": entry.conflicts,
        "alarm_count": entry.alarm_count,
        "alarms": [_alarm(alarm) for alarm in entry.alarms],
        "said_by_station": entry.spoken_of,
        "delivered_by_word_of": entry.said_by,
        "said_at": entry.said_at,
        "collected_at": entry.last_at,
    }


def _gap(gap: GapTold) -> dict[str, object]:
    names = ("first", "last", "why", "absent", "at", "by", "size", "told_at")
    return {name: getattr(gap, name) for name in names}


def _alarm(alarm: AlarmTold) -> dict[str, object]:
    names = (
        "kind", "lower", "lower_hash", "upper", "upper_previous_hash", "upper_hash",
        "times", "first_at", "last_at",
    )  # fmt: skip
    return {name: getattr(alarm, name) for name in names}


def _columns(entry: Entry) -> tuple[str, ...]:
    account = entry.account
    numbers = (
        account.recorded,
        entry.through,
        account.waiting,
        *(account.gone.get(why, 0) for why in REASONS),
        account.missing,
        entry.duplicates,
        entry.alarm_count,
    )
    return (entry.key.station, entry.key.stream, entry.key.epoch[:8], *map(str, numbers))


def _remarks(entry: Entry) -> Iterator[str]:
    name = f"{entry.key.station} {entry.key.stream} {entry.key.epoch[:8]}"
    for gap in entry.gaps:
        size = f", {gap.size} bytes" if gap.size is not None else ""
        when = f" at {plain(gap.at)}" if gap.at else ""
        by = f", acknowledged by {plain(gap.by)}" if gap.by else ""
        if gap.absent:
            yield f"{name}: {_range((gap.first, gap.last))} {gap.why}{when}{by}{size}"
    for alarm in entry.alarms:
        what = "does not follow" if alarm.kind == "join" else "contradicts"
        yield (
            f"{name}: what came as {_range(alarm.upper)} {what} what is held as"
            f" {_range(alarm.lower)}: {alarm.times} times, last {alarm.last_at}"
        )
    for missing in entry.account.missing_ranges:
        yield f"{name}: {_range(missing)} missing, and nobody has said why"


def _range(one: Range) -> str:
    return f"{one[0]}" if one[0] == one[1] else f"{one[0]} to {one[1]}"


def _record(found: Found) -> str:
    shown = "null" if found.previous_hash is None else f'"{found.previous_hash}"'
    return f'{found.body.decode()[:-1]},"previous_hash":{shown},"hash":"{found.hash}"}}'


def _row(found: Found) -> Row:
    from edge.store.rows import Row

    return Row(found.seq, found.body, found.hash)


def _verdict(found: Found) -> str:
    content: dict[str, Any] = json.loads(found.body)
    label = f" ({plain(str(content['label']))})" if content.get("label") else ""
    return (
        f"The person {plain(str(content.get('by')))} said {plain(str(content.get('verdict')))}"
        f"{label} at {plain(str(content.get('at')))} (record {found.seq} of the stream"
        f" {found.stream})."
    )


def _proof(found: Found) -> str:
    if found.joined:
        return "The collector holds its chain without a break up to this record."
    return "Records before it have not been collected, so its place in the chain is not proved yet."
