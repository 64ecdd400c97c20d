"""The sync service at a broker with TLS, as a process."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from edge.statusfile import StatusFile
from edge.store.journal import Journal
from tests.edge.store.builders import sure
from tests.simulators.broker import free_port, running_broker
from tests.simulators.patience import until
from tests.simulators.pki import Authority

pytestmark = pytest.mark.broker

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


def test_a_certificate_is_renewed_while_the_service_runs(tmp_path):
    """Expired: the reason stands in the status, with the date. Replaced: delivery goes on by
    itself, and what remains is that the new one ends soon."""
    pki, port = Authority(tmp_path / "pki"), free_port()
    server = pki.issue("broker", ("127.0.0.1",))
    old = pki.issue("plant-a/line-3/caps", start=-20, end=-2)
    new = pki.issue("plant-a/line-3/caps", end=12)
    (tmp_path / "config.yaml").write_text(CONFIG.format(port=port, ca=pki.file))
    put(tmp_path, old)
    journal = Journal.open(tmp_path / "state" / "line.db", "boot-1", 0)
    journal.append(sure(5))
    journal.close()
    rules = (
        f"listener {port} 127.0.0.1",
        f"cafile {pki.file}",
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        "require_certificate true",
        "use_identity_as_username true",
        "allow_anonymous false",
    )
    with running_broker(tmp_path / "broker", rules):
        command = [sys.executable, "-m", "edge", "sync", "--config", tmp_path / "config.yaml"]
        with open(tmp_path / "log", "wb") as log:
            service = subprocess.Popen(command, stderr=log)
        try:
            gone = f"our certificate (plant-a/line-3/caps) expired on {old.end}"
            soon = f"our certificate (plant-a/line-3/caps) ends on {new.end}"
            status = StatusFile(tmp_path / "status", "sync")

            def causes():
                said = status.read() or {"causes": []}
                return [cause["what"] for cause in said["causes"]]

            until(lambda: causes() == [gone], lambda: time.sleep(0.05))
            put(tmp_path, new)
            until(lambda: (status.read() or {}).get("connected"), lambda: time.sleep(0.05))
            until(lambda: status.read()["backlog"] == 0, lambda: time.sleep(0.05))
            until(lambda: causes() == [soon], lambda: time.sleep(0.05))
            assert status.read()["state"] == "degraded"
        finally:
            service.terminate()
            assert service.wait(60) == 0


def put(folder, issued):
    (folder / "certificate.pem").write_bytes(issued.certificate.read_bytes())
    (folder / "key.pem").write_bytes(issued.key.read_bytes())
