"""`edge-inspect demo` as a newcomer meets it: one joins in the browser, operators answer too."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.demo.station import free_port
from tests.browser.plant import recorded
from tests.browser.tablet import Tablet
from tests.simulators.patience import beside, until

JOIN = re.compile(r"join in: (\S+)  number (\S+)  PIN (\d+)  \(2 simulated operators, 2% of")


@pytest.fixture
def demo(tmp_path):
    """A running demo: its process, what it says, and its folder."""
    log = tmp_path / "log"
    words = ["--folder", str(tmp_path / "demo"), "--port", str(free_port()), "--rate", "5"]
    command = [sys.executable, "-m", "edge", "demo", *words, "--language", "de"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    yield process, log, tmp_path / "demo"
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.mark.slow
def test_somebody_joins_and_simulated_operators_answer_beside_them(chromium, demo):
    process, log, folder = demo
    moment = beside(process)
    until(lambda: process.poll() is None and JOIN.search(log.read_text()), moment)
    address, number, pin = JOIN.search(log.read_text()).groups()
    one = Tablet(chromium, address, language="en-GB")
    until(lambda: "web.started" in (folder / "web.log").read_text(), moment)
    one.sign_in(number, pin)
    shown = one.ready()
    said = one.test("demo").inner_text()
    assert "SIMULIERTE" in said
    assert "simulated operator 2 (2% wrong)" in said
    assert one.test("nav-camera").is_visible()
    assert one.test("nav-people").is_visible()

    queue = folder / "state" / "queue.db"
    until(lambda: len(verdicts(queue)) >= 3, moment)  # while the person only looks
    assert {said["by"][:2] for said in verdicts(queue)} == {"m-"}
    assert shown not in {said["inspection"] for said in verdicts(queue)}
    assert one.ready() == shown
    one.test("reject").tap()
    one.next_part(shown)
    (own,) = [said for said in verdicts(queue) if said["by"].startswith("p-")]
    assert (own["inspection"], own["verdict"], own["via"]) == (shown, "reject", "page")
    one.close()

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, log.read_text()
    assert not one.troubles
    known = {
        record["id"]: record for record in recorded(folder / "state" / "line.db") if "id" in record
    }
    wrong = [said for said in verdicts(queue) if errs(said, known[said["inspection"]]["truth"])]
    assert len(wrong) <= len(verdicts(queue)) // 2


def inspections(line: Path):
    return [record for record in recorded(line) if record["schema"] == "inspection/1"]


def verdicts(queue: Path):
    return [record for record in recorded(queue) if record["schema"] == "verdict/1"]


def errs(said, truth):
    """Whether a simulated operator said what is not true."""
    sure = said["verdict"] != "unsure" and said["by"].startswith("m-")
    return sure and (said["verdict"] == "accept") != (truth == "good")
