"""The demo's children: broker, sync, line, page. Each is ended by its own pid, in order."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from edge.demo.station import DemoStation, find_mosquitto

PATIENCE_S = 15.0


@dataclass(slots=True)
class Child:
    """One process, and the file that has what it said."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Children:
    """Starts the services and ends them when the demo ends, whatever the reason.

    They run in sessions of their own, so that Ctrl-C reaches the demo alone and each can finish
    what is under way.
    """

    def __init__(self, station: DemoStation) -> None:
        self._station = station
        self._children: list[Child] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def start(self) -> None:
        """Start broker, fleet, sync, line and page. Raises OSError."""
        station = self._station
        broker = find_mosquitto()
        if station.broker_port is not None and broker is not None:
            self._start("broker", [broker, "-c", str(station.broker_folder / "mosquitto.conf")])
            if station.fleet is not None:
                self._start("fleet", station.fleet.command(station.broker_port))
            self._start("sync", self._command("sync"))
        self._start("line", self._command("run"))
        self._start("web", self._command("web"))

    def dead(self) -> list[Child]:
        """Children that ended by themselves."""
        return [child for child in self._children if child.process.poll() is not None]

    def end(self) -> None:
        """End the newest first: the page, then the line drains, sync delivers, the broker goes."""
        while self._children:
            child = self._children.pop()
            child.process.send_signal(signal.SIGTERM)
            try:
                child.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()

    def _command(self, service: str) -> list[str]:
        config = str(self._station.config_file)
        return [sys.executable, "-m", "edge", service, "--config", config]

    def _start(self, name: str, command: list[str]) -> None:
        log = self._station.folder / f"{name}.log"
        with log.open("ab") as stream:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        self._children.append(Child(name, process, log))
