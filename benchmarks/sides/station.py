"""What a station needs: pictures, a bundle, a configuration, records that wait."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def wrap(model: str, out: str) -> str:
    """Wrap the ImageNet model; what is good does not matter for its speed."""
    command = [str(Path(sys.executable).with_name("edge-inspect")), "model", "wrap", model]
    command += ["--out", out, "--good", "tabby", "--rest", "defect", "--name", "mobilenet"]
    subprocess.run(command, check=True, capture_output=True)
    return out


def make_pictures(out: str, width: int, height: int, count: int) -> int:
    """JPEGs of the simulated line, as files."""
    from camera.synthetic import SyntheticSource

    folder = Path(out)
    if folder.exists():
        return count
    folder.mkdir(parents=True)
    source = SyntheticSource(seed=5, width=width, height=height, limit=count, encode=True)
    source.open()
    while (frame := source.read()) is not None:
        assert frame.encoded is not None
        (folder / f"{frame.number:05d}.jpg").write_bytes(frame.encoded)
    return count


def config_for(
    state: str,
    pictures: str,
    bundle: str,
    broker: str = "",
    acknowledge: str = "broker",
    page: int = 0,
) -> Any:
    """A station over a folder, everything on."""
    from edge.config_file import parse

    folder = Path(state)
    folder.mkdir(parents=True, exist_ok=True)
    text = f"""
station: {{site: bench, line: line, name: station}}
state_dir: {state}
camera: {{source: folder, path: {pictures}, loop: true}}
model: {{bundle: "{bundle}", deadline_ms: 0}}
decision: {{automation: partial, accept_below: 0.3, reject_above: 0.7, allow_uncertified: true}}
storage: {{images: escalated+rejected+random}}
"""
    if broker:
        text += f'sync: {{broker: "{broker}", acknowledge: {acknowledge}}}\n'
    if page:
        text += f'web: {{listen: "127.0.0.1:{page}", lock_after_s: 86400}}\n'
    (folder / "edge-inspect.yaml").write_text(text)
    return parse(text.encode(), folder / "edge-inspect.yaml")


def backlog(config: Any, count: int) -> None:
    """Records that wait for delivery."""
    from dataclasses import replace

    from edge.clock import Clock, boot_id
    from edge.records import Inspection, Origin
    from edge.store.journal import Journal

    clock = Clock()
    origin = Origin(config.station.path, boot_id(), config.digest, "bench")
    journal = Journal.open(config.state_dir / "line.db", origin.boot_id, clock.monotonic_ns())
    made = Inspection("", origin, clock.moment(), "accept", "confident", "partial", score=0.1)
    for _ in range(count // 1000):
        journal.append([replace(made, id=clock.new_id()) for _ in range(1000)])
    journal.close()


def acknowledged(state: Path) -> float:
    """How far delivery is."""
    try:
        status = json.loads((state / "status" / "sync.json").read_text())
        return float(status["acknowledged"]["line"]["seq"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0
