"""The demo's station: its folder, its configuration, the ports that are free."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from edge.files import write_atomically

LINE_SEED = 42
CALIBRATION_SEED = 1042
"""Another seed than the line's: nobody calibrates on the parts that are decided afterwards."""

TEXT = """\
# Written by `edge-inspect demo`: a SIMULATED station. Its data are kept apart from any other's.
station: {{site: demo, line: simulated, name: rings, time_zone: UTC}}
state_dir: state
camera: {{source: synthetic, seed: {seed}, parts_per_second: {rate}, defect_rate: 0.05}}
model: {{bundle: "@rings"}}
decision: {{automation: partial, max_escape: 0.02, max_overkill: 0.05, confidence: 0.95}}
escalation: {{deadline_s: 30, fallback: hold}}
storage: {{images: escalated+rejected+random}}
{sync}"""


@dataclass(frozen=True, slots=True)
class DemoStation:
    """Where everything of the demo is."""

    folder: Path
    broker_port: int | None

    @property
    def config_file(self) -> Path:
        """The configuration; every other command takes it with --config."""
        return self.folder / "edge-inspect.yaml"

    @property
    def broker_folder(self) -> Path:
        """Configuration and log of the demo's own broker."""
        return self.folder / "mosquitto"


def find_mosquitto() -> str | None:
    """The broker's program; Debian keeps it outside an ordinary user's path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def prepare(folder: Path, rate: float, with_broker: bool) -> DemoStation:
    """Make the folder and write the configuration. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port() if with_broker else None
    sync = "" if port is None else f'sync: {{broker: "mqtt://127.0.0.1:{port}"}}\n'
    station = DemoStation(folder.absolute(), port)
    text = TEXT.format(seed=LINE_SEED, rate=rate, sync=sync)
    write_atomically(station.config_file, text.encode())
    if port is not None:
        station.broker_folder.mkdir(exist_ok=True)
        settings = f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        write_atomically(station.broker_folder / "mosquitto.conf", settings.encode(), mode=0o644)
    return station


def free_port() -> int:
    """A TCP port on the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
