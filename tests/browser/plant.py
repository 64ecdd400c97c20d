"""A real station with its page: line and web as child processes, persons with PINs."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from edge.access.person import Person
from edge.store.archive import Archive
from tests.appliance import station
from tests.browser.persons import PINS, settle
from tests.simulators.broker import free_port
from tests.simulators.patience import beside, until

EVERYTHING_ASKED: dict[str, Any] = {
    "camera": {"source": "synthetic", "width": 320, "height": 240, "parts_per_second": 4.0},
    "decision": {"automation": "shadow"},
    "escalation": {"deadline_s": 3600},
}
"""A line in which persons decide everything: four parts a second wait, for an hour each."""
CODE = re.compile(r"\bcode=\"?([0-9A-Za-z-]{6,40})")
HTTP_OK = 200


class Plant:
    """Services are started and ended one by one. The page's port stays the same over restarts."""

    def __init__(self, folder: Path, **sections: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        settings = {**EVERYTHING_ASKED, **sections}
        settings["web"] = {"listen": f"127.0.0.1:{self.port}", **settings.get("web", {})}
        self.config_file = station.station(folder, settings.pop("camera"), **settings)
        self.config = station.config_of(self.config_file)
        self.persons: dict[str, Person] = {}
        self.pins = dict(PINS)
        self.sessions: dict[str, Any] = {}
        """Of persons who have signed in, as a browser keeps them."""
        self._running: dict[str, subprocess.Popen[str]] = {}

    def settle(self) -> None:
        """Let all of PERSONS in."""
        self.persons = settle(self.config)

    def start(self, *services: str) -> Plant:
        """Start services (`run`, `sync`, `web`); on return each is at work."""
        for service in services:
            with self.log(service).open("ab") as log:
                self._running[service] = station.start(
                    self.config_file, service, stdout=log, stderr=log
                )
        for service in services:
            ready = self._answers if service == "web" else self._at_work
            until(partial(self._is, service, ready), self.moment)
        return self

    def kill(self, service: str) -> None:
        """It dies at once."""
        process = self._running.pop(service)
        process.kill()
        process.wait()

    def stop(self, service: str) -> int:
        """It ends in good order; its exit code."""
        process = self._running.pop(service)
        process.send_signal(signal.SIGTERM)
        return process.wait(30)

    def remove(self) -> None:
        """None is left."""
        for service in reversed(list(self._running)):
            self.kill(service)

    def log(self, service: str) -> Path:
        """What the service said."""
        return self.folder / f"{service}.log"

    def said(self) -> str:
        """The last words of all services, for whoever looks why a test failed."""
        return "\n".join(path.read_text()[-3000:] for path in self.folder.glob("*.log"))

    def moment(self) -> None:
        """A short wait that ends at once if a service does."""
        beside(next(iter(self._running.values())))()

    def first_code(self) -> str:
        """The one-time code that the service printed at its first start."""
        found: list[str] = []
        until(lambda: found.extend(CODE.findall(self.log("web").read_text())) or found, self.moment)
        return found[-1]

    def line(self) -> list[dict[str, Any]]:
        """Every record of the line."""
        return recorded(self.config.state_dir / "line.db")

    def queue(self, schema: str = "verdict/1") -> list[dict[str, Any]]:
        """The records of persons of one kind."""
        found = recorded(self.config.state_dir / "queue.db")
        return [record for record in found if record["schema"] == schema]

    def fate(self, inspection: str) -> Mapping[str, Any] | None:
        """The disposition of a part, once there is one. There is never a second."""
        found = [
            record
            for record in self.line()
            if record["schema"] == "disposition/1" and record["inspection"] == inspection
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def truth(self, inspection: str) -> str:
        """`good` or `defect`, as only the simulation knows."""
        (found,) = [record for record in self.line() if record["id"] == inspection]
        return str(found["truth"]).partition("/")[0]

    def _is(self, service: str, ready: Callable[[], bool]) -> bool:
        process = self._running[service]
        assert process.poll() is None, self.log(service).read_text()[-3000:]
        return ready()

    def _at_work(self) -> bool:
        return (self.config.state_dir / "line.db").exists()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/api/v1/health", timeout=5) as found:
                return int(found.status) == HTTP_OK
        except OSError:
            return False


def recorded(path: Path) -> list[dict[str, Any]]:
    """Every record of a database, as JSON."""
    found: list[dict[str, Any]] = []
    seq = 0
    with Archive(path) as archive:
        while rows := archive.rows(seq, 2000, 1 << 24):
            found += [json.loads(row.body) for row in rows]
            seq = rows[-1].seq
    return found
