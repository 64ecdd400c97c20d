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
from edge.demo.tally import Tally

STYLES = {"accept": "bold green", "reject": "bold red", "escalate": "bold yellow"}
MARKS = {"accept": "✓ accept", "reject": "✗ reject", "escalate": "? ask"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One moment of the demo."""

    tally: Tally
    line: Mapping[str, Any]
    sync: Mapping[str, Any] | None
    calibration: Calibration | None
    config_file: str


def screen(seen: Seen) -> RenderableType:
    """The whole view."""
    top = Table.grid(expand=True, padding=(0, 2))
    top.add_column(ratio=5)
    top.add_column(ratio=6)
    top.add_row(_figures(seen), _truth(seen))
    return Group(
        Text(
            " Edge Inspect · SIMULATED line, nothing here is a real part ", style="black on yellow"
        ),
        top,
        Panel(_last(seen.tally), title="last decisions", title_align="left"),
        _next(seen.config_file),
    )


def one_line(seen: Seen) -> str:
    """The same for a log or a pipe."""
    decisions = seen.tally.decisions
    escaped, defects = seen.tally.escapes
    return (
        f"simulated: {seen.tally.inspections} parts, {decisions['accept']} accepted, "
        f"{decisions['reject']} rejected, {decisions['escalate']} escalated, "
        f"{seen.line.get('parts_per_second', 0)} parts/s, degree {seen.line.get('degree')}, "
        f"true escapes {escaped}/{defects}, backlog {_backlog(seen)}"
    )


def _figures(seen: Seen) -> Panel:
    line, decisions = seen.line, seen.tally.decisions
    model = line.get("model") or {}
    grid = Table.grid(padding=(0, 1))
    for name, value, style in (
        ("parts", f"{seen.tally.inspections}  ({line.get('parts_per_second', 0)}/s)", ""),
        ("accepted", str(decisions["accept"]), STYLES["accept"]),
        ("rejected", str(decisions["reject"]), STYLES["reject"]),
        ("escalated", f"{decisions['escalate']}  ({_open(line)} open)", STYLES["escalate"]),
        ("model", f"{model.get('name', '–')} {model.get('version', '')}", ""),
        ("degree", f"{line.get('degree', '–')}: {line.get('degree_why', 'starting')}", ""),
        ("backlog", _backlog(seen), ""),
    ):
        grid.add_row(Text(name, style="dim"), Text(value, style=style))
    word = str(line.get("state", "starting"))
    return Panel(grid, title=f"line: {word}", title_align="left")


def _truth(seen: Seen) -> Panel:
    """The claims of the calibration beside what the simulation knows."""
    content = {} if seen.calibration is None else seen.calibration.content
    grid = Table.grid(padding=(0, 1))
    grid.add_row("", Text("claimed", style="dim"), Text("true, so far", style="dim"))
    for name, key, (wrong, of) in (
        ("escapes", "escape", seen.tally.escapes),
        ("overkill", "overkill", seen.tally.overkill),
    ):
        bound = content.get(key)
        target = bound["target"] if isinstance(bound, dict) else None
        claimed = "–" if target is None else f"≤ {target:.1%}"
        share = f"{wrong / of:.2%} ({wrong} of {of})" if of else "–"
        grid.add_row(Text(name, style="dim"), claimed, share)
    confidence = content.get("confidence")
    sure = f"{confidence:.0%} confidence" if isinstance(confidence, float) else "not calibrated"
    note = Text(
        f"escapes: share of defects that were accepted\n"
        f"overkill: share of good parts that were rejected\n"
        f"claimed with {sure} from {content.get('n_defect', 0)} defects and "
        f"{content.get('n_good', 0)} good parts",
        style="dim",
    )
    return Panel(Group(grid, Text(), note), title="claimed and true", title_align="left")


def _last(tally: Tally) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1))
    for title in ("part", "decision", "score", "reason", "truth (simulation)", "ms"):
        table.add_column(title, style="", header_style="dim")
    for record in reversed(tally.last):
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


def _next(config_file: str) -> Panel:
    lines = (
        f"edge-inspect status -c {config_file}",
        f"edge-inspect results -c {config_file} --limit 20      (--verify checks the chain)",
        f"edge-inspect explain -c {config_file} R-000001",
        "edge-inspect init                                     (your own camera and model)",
    )
    text = Text("\n".join(lines), no_wrap=True, overflow="ellipsis")
    return Panel(text, title="type in another terminal · Ctrl-C ends the demo", title_align="left")


def _open(line: Mapping[str, Any]) -> int:
    return int(line.get("open_escalations", 0))


def _backlog(seen: Seen) -> str:
    if seen.sync is None:
        return f"{seen.tally.seq} records wait: no mosquitto here (apt install mosquitto)"
    connected = "broker connected" if seen.sync.get("connected") else "broker not connected"
    return f"{seen.sync.get('backlog', '–')} records, {connected}"
