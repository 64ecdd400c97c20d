"""The sync service at a broker with TLS, as a process."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys

import pytest

from edge.statusfile import StatusFile
from edge.store.journal import Journal
from tests.edge.store.builders import sure
from tests.faults.preload import Faults
from tests.simulators.broker import free_port, running_broker
from tests.simulators.patience import beside, until
from tests.simulators.pki import Authority

pytestmark = [pytest.mark.broker, pytest.mark.slow]

CONFIG = """\
station: {{site: plant-a, line: line-3, name: caps}}
state_dir: state
status_dir: status
camera: {{source: synthetic}}
model: {{bundle: "@rings"}}
sync:
  broker: "mqtts://127.0.0.1:{port}"
  ca_file: {ca}
  certificate_file: certificate.pem
  key_file: key.pem
"""


class Station:
    """`edge-inspect sync` with some records, at a broker that knows its clients by certificates."""

    def __init__(self, folder):
        self.folder, self.pki, self.port = folder, Authority(folder / "pki"), free_port()
        self.config = folder / "config.yaml"
        self.config.write_text(CONFIG.format(port=self.port, ca=self.pki.file))
        server = self.pki.issue("broker", ("127.0.0.1",))
        journal = Journal.open(folder / "state" / "line.db", "boot-1", 0)
        journal.append(sure(5))
        journal.close()
        self.rules = (
            f"listener {self.port} 127.0.0.1",
            f"cafile {self.pki.file}",
            f"certfile {server.certificate}",
            f"keyfile {server.key}",
            "require_certificate true",
            "use_identity_as_username true",
            "allow_anonymous false",
        )

    @contextlib.contextmanager
    def runs(self, environment=None):
        command = [sys.executable, "-m", "edge", "sync", "--config", self.config]
        with running_broker(self.folder / "broker", self.rules):
            with open(self.folder / "log", "wb") as log:
                service = self.service = subprocess.Popen(command, stderr=log, env=environment)
            try:
                yield
            finally:
                service.terminate()
                assert service.wait(60) == 0

    def own(self, issued):
        (self.folder / "certificate.pem").write_bytes(issued.certificate.read_bytes())
        (self.folder / "key.pem").write_bytes(issued.key.read_bytes())

    def until(self, condition):
        until(lambda: condition(self.status()), beside(self.service))

    def status(self):
        found = StatusFile(self.folder / "status", "sync").read()
        return found or {"causes": [], "connected": False, "backlog": None}


def causes(status):
    return [cause["what"] for cause in status["causes"]]


def test_a_certificate_is_renewed_while_the_service_runs(tmp_path):
    """Expired: the reason stands in the status, with the date. Replaced: delivery goes on by
    itself, and what remains is that the new one ends soon."""
    station = Station(tmp_path)
    old = station.pki.issue("plant-a/line-3/caps", start=-20, end=-2)
    new = station.pki.issue("plant-a/line-3/caps", end=12)
    station.own(old)
    with station.runs():
        gone = f"our certificate (plant-a/line-3/caps) expired on {old.end}"
        soon = f"our certificate (plant-a/line-3/caps) ends on {new.end}"
        station.until(lambda status: causes(status) == [gone])
        station.own(new)
        station.until(lambda status: status["connected"] and status["backlog"] == 0)
        station.until(lambda status: causes(status) == [soon])
        assert station.status()["state"] == "degraded"


def test_a_clock_that_is_wrong_is_named_and_nothing_else_is_needed_than_to_set_it(tmp_path):
    station, faults = Station(tmp_path), Faults(tmp_path / "faults")
    station.own(station.pki.issue("plant-a/line-3/caps"))
    faults.shift_clock(-400 * 86_400)
    with station.runs(faults.environment):
        station.until(lambda status: "this machine's clock is at least" in str(status))
        (why,) = causes(station.status())
        assert re.search(r"clock is at least (399|400) days behind: it says 20\d\d-", why)
        faults.shift_clock(0)
        station.until(lambda status: status["connected"] and status["backlog"] == 0)
        station.until(lambda status: causes(status) == [])
