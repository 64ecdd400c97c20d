"""The demo's station: its folder, its configuration, the ports that are free."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from edge.demo.fleet import MIN_PARTS, TRIAL_PARTS, FleetDemo
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
escalation: {{deadline_s: {allowed}, fallback: hold}}
web: {{listen: "127.0.0.1:{port}"}}
storage: {{images: escalated+rejected+random}}
{sync}"""
SYNC = 'sync: {{broker: "mqtt://127.0.0.1:{port}"}}\n'
WITH_FLEET = """\
sync:
  broker: "mqtt://127.0.0.1:{port}"
  acknowledge: collector
  trust_root_file: fleet/root.json
rollout: {{min_parts: {min_parts}, trial_parts: {trial_parts}}}
"""
ALLOWED_S = 60.0
PORT = 8080
"""Where the page is, if nobody else is there."""


@dataclass(frozen=True, slots=True)
class DemoStation:
    """Where everything of the demo is."""

    folder: Path
    broker_port: int | None
    web_port: int
    fleet: FleetDemo | None = None

    @property
    def address(self) -> str:
        """Of the page, to type into a browser on this machine."""
        return f"http://127.0.0.1:{self.web_port}"

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


def prepare(
    folder: Path,
    rate: float,
    with_broker: bool,
    web_port: int | None = None,
    with_fleet: bool = False,
) -> DemoStation:
    """Make the folder and write the configuration. Raises OSError (the port is in use, say)."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port() if with_broker else None
    fleet = FleetDemo(folder.absolute() / "fleet") if with_fleet and with_broker else None
    sync = "" if port is None else (SYNC if fleet is None else WITH_FLEET)
    sync = sync.format(port=port, min_parts=MIN_PARTS, trial_parts=TRIAL_PARTS)
    station = DemoStation(folder.absolute(), port, _page_port(web_port), fleet)
    if fleet is not None:
        fleet.prepare()
    text = TEXT.format(
        seed=LINE_SEED, rate=rate, allowed=ALLOWED_S, port=station.web_port, sync=sync
    )
    write_atomically(station.config_file, text.encode())
    if port is not None:
        station.broker_folder.mkdir(exist_ok=True)
        settings = f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        write_atomically(station.broker_folder / "mosquitto.conf", settings.encode(), mode=0o644)
    return station


def _page_port(wanted: int | None) -> int:
    if wanted is not None:
        return free_port(wanted)
    try:
        return free_port(PORT)
    except OSError:
        return free_port()


def free_port(wanted: int = 0) -> int:
    """A TCP port on the loopback address that nobody uses now. Raises OSError where `wanted` is
    in use."""
    with socket.socket() as probe:
        # what a server does too: a port whose last connections are just ending is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", wanted))
        return int(probe.getsockname()[1])
