"""The demo in the terminal: what happens, what is claimed, what is true, what to type next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edge.calibrations import Calibration
from edge.demo.fleet import FleetDemo
from edge.demo.joining import Joining
from edge.demo.operator import WRONG
from edge.demo.tally import Tally
from edge.monitor.share import share

STYLES = {"accept": "bold green", "reject": "bold red", "escalate": "bold yellow"}
WIDE = 110
"""Columns that two panels beside each other need."""
ROWS_WIDE, ROWS_NARROW = 22, 28
"""Rows of everything but the last decisions themselves."""
MARKS = {"accept": "✓ accept", "reject": "✗ reject", "escalate": "? ask"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One moment of the demo. `command` is how edge-inspect is typed here."""

    tally: Tally
    line: Mapping[str, Any]
    sync: Mapping[str, Any] | None
    calibration: Calibration | None
    config_file: str
    command: str = "edge-inspect"
    joining: Joining | None = None
    fleet: FleetDemo | None = None


def screen(seen: Seen, width: int = 112, height: int = 40) -> RenderableType:
    """The whole view; with less room it has fewer of the last decisions, and panels below each
    other."""
    wide = width >= WIDE
    top: list[RenderableType] = [_figures(seen), _truth(seen, wide)]
    if wide:
        beside = Table.grid(expand=True, padding=(0, 2))
        beside.add_column(ratio=5)
        beside.add_column(ratio=6)
        beside.add_row(*top)
        top = [beside]
    title = Text(
        " Edge Inspect · SIMULATED line, nothing here is a real part ", style="black on yellow"
    )
    room = height - (ROWS_WIDE if wide else ROWS_NARROW)
    last = [Panel(_last(seen.tally, room), title="last decisions", title_align="left")]
    few = not wide and height < ROWS_NARROW - 3
    below = _next(seen, few)
    return Group(title, _join(seen.joining, wide), *top, *(last if room > 0 else []), below)


def joining_line(joining: Joining) -> str:
    """How a person takes part, in one line."""
    return (
        f"join in: {joining.address}  number {joining.number}  PIN {joining.pin}  "
        f"({operators(joining)}, {WRONG:.0%} of their answers wrong)"
    )


def operators(joining: Joining) -> str:
    """Who else answers."""
    count = len(joining.tokens)
    return f"{count or 'no'} simulated operator{'' if count == 1 else 's'}"


def one_line(seen: Seen) -> str:
    """The same for a log or a pipe."""
    line = seen.line
    if "degree" not in line:
        return "simulated: the line is starting"
    rate, degree = line.get("parts_per_second", 0.0), line["degree"]
    return f"{_counts(seen.tally)}; {rate:.1f} parts/s, degree {degree}, backlog {_backlog(seen)}"


def last_line(seen: Seen) -> str:
    """What the demo came to."""
    backlog = 0 if seen.sync is None else int(seen.sync.get("backlog") or 0)
    waiting = f"; {_records(backlog)} not delivered yet" if backlog else ""
    return _counts(seen.tally) + waiting


def _counts(tally: Tally) -> str:
    decisions = tally.decisions
    escaped, defects = tally.escapes
    share = f" (95 %: {_interval(escaped, defects)})" if defects else ""
    return (
        f"simulated: {tally.inspections} parts, {decisions['accept']} accepted, "
        f"{decisions['reject']} rejected, {decisions['escalate']} escalated; "
        f"true escapes {escaped} of {defects} defects{share}"
    )


def _join(joining: Joining | None, wide: bool) -> Text:
    if joining is None:
        return Text("")
    who = f" · number {joining.number} · PIN {joining.pin} · {operators(joining)}"
    text = Text("join in: ", style="bold", no_wrap=True, overflow="ellipsis")
    text.append(joining.address, style="bold cyan").append(who)
    return text.append(f", {WRONG:.0%} of their answers wrong") if wide else text


def _figures(seen: Seen) -> Panel:
    line, decisions = seen.line, seen.tally.decisions
    model = line.get("model") or {}
    grid = Table.grid(padding=(0, 1))
    for name, value, style in (
        ("parts", f"{seen.tally.inspections}  ({line.get('parts_per_second', 0)}/s)", ""),
        ("accepted", str(decisions["accept"]), STYLES["accept"]),
        ("rejected", str(decisions["reject"]), STYLES["reject"]),
        ("escalated", f"{decisions['escalate']}  ({_open(line)} open)", STYLES["escalate"]),
        ("model", f"{model.get('name', '–')} {model.get('version', '')}{_candidate(line)}", ""),
        ("degree", f"{line.get('degree', '–')}: {line.get('degree_why', 'starting')}", ""),
        ("backlog", _backlog(seen), ""),
    ):
        grid.add_row(Text(name, style="dim"), Text(value, style=style))
    word = str(line.get("state", "starting"))
    return Panel(grid, title=f"line: {word}", title_align="left")


def _truth(seen: Seen, wide: bool) -> Panel:
    """The claims of the calibration beside what the simulation knows."""
    content = {} if seen.calibration is None else seen.calibration.content
    grid = Table.grid(padding=(0, 2))
    for title in ("", "claimed", "true, so far", "95 % interval"):
        grid.add_column(Text(title, style="dim"), no_wrap=True)
    grid.show_header = True
    for name, key, counted in (
        ("escapes", "escape", seen.tally.escapes),
        ("overkill", "overkill", seen.tally.overkill),
    ):
        bound = content.get(key)
        target = bound["target"] if isinstance(bound, dict) else None
        claimed = "–" if target is None else f"≤ {target:.1%}"
        grid.add_row(Text(name, style="dim"), claimed, *_share(*counted))
    confidence = content.get("confidence")
    sure = f"{confidence:.0%} confidence" if isinstance(confidence, float) else "not calibrated"
    notes = [
        "",
        "escapes: share of defects that were accepted",
        "overkill: share of good parts that were rejected",
        f"claims: {sure} from {content.get('n_defect', 0)} defects, "
        f"{content.get('n_good', 0)} good parts",
    ]
    if not wide:
        notes = ["escapes: defects that were accepted; overkill: good parts that were rejected"]
    notes.append("broken only if a whole interval lies above its claim")
    note = Text("\n".join(notes), style="dim")
    return Panel(Group(grid, note), title="claimed and true", title_align="left")


def _share(wrong: int, of: int) -> tuple[str, str]:
    """What was counted, and the rates that it does not contradict."""
    return (f"{wrong / of:.2%} ({wrong} of {of})", _interval(wrong, of)) if of else ("–", "–")


def _interval(wrong: int, of: int) -> str:
    seen = share(wrong, of)
    return f"{seen.low:.1%} to {seen.high:.1%}"


def _last(tally: Tally, most: int) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1))
    for title in ("part", "decision", "score", "reason", "truth (simulation)", "ms"):
        table.add_column(title, style="", header_style="dim")
    for record in list(reversed(tally.last))[:most]:
        decision, score = record["decision"], record["score"]
        doubts = ", ".join(doubt["name"] for doubt in record["doubts"])
        table.add_row(
            str(record["part_id"] or "–"),
            Text(MARKS[decision], style=STYLES[decision]),
            "–" if score is None else f"{score:.3f}",
            f"{record['reason']}{': ' + doubts if doubts else ''}",
            str(record["truth"] or "–"),
            f"{record['latency_ms']['total']:.1f}",
        )
    return table


def _next(seen: Seen, few: bool) -> Panel:
    command, config_file, fleet = seen.command, seen.config_file, seen.fleet
    lines = [
        (f"status -c {config_file}", "how the station is"),
        (f"results -c {config_file}", "what was decided"),
        (f"results -c {config_file} --verify", "is all as recorded?"),
        (f"explain -c {config_file} R-000001", "the story of one part"),
        ("init", "your own camera and model"),
    ]
    if fleet is not None:
        lines[2:] = [
            (fleet.push("@rings-1.1"), ""),
            (fleet.push(fleet.short(fleet.poisoned)), ""),
            (fleet.status, ""),
        ]
    elif few:
        del lines[1]
    wide = max(len(what) for what, _ in lines) + 3
    text = Text(no_wrap=True, overflow="ellipsis")
    for number, (what, why) in enumerate(lines):
        text.append("\n" if number else "").append(f"{command} {what:<{wide}}")
        text.append(why, style="dim")
    title = "type in another terminal · Ctrl-C ends the demo"
    return Panel(text, title=title, title_align="left")


def _candidate(line: Mapping[str, Any]) -> str:
    """The model that is trying to take its place, or what became of the last one."""
    told = line.get("rollout") or {}
    now, last = told.get("candidate"), told.get("last")
    if now:
        share = f" {now['share']:g} %" if now.get("share") else ""
        return f"; {now['version']} in {now['state']}{share}, {now.get('parts') or 0} parts seen"
    if last:
        why = f" ({last['code']})" if last.get("code") else ""
        return f"; {last['version']} {last['state']}{why}"
    return ""


def _open(line: Mapping[str, Any]) -> int:
    return int(line.get("open_escalations", 0))


def _backlog(seen: Seen) -> str:
    if seen.sync is None:
        return f"{_records(seen.tally.seq)}, no mosquitto here (apt install mosquitto)"
    connected = "broker connected" if seen.sync.get("connected") else "broker not connected"
    return f"{_records(int(seen.sync.get('backlog') or 0))}, {connected}"


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"
