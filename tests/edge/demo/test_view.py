import io
from collections import Counter

import pytest
from rich.console import Console

from edge.calibrations import Binding, Calibration
from edge.demo.joining import Joining
from edge.demo.tally import Tally
from edge.demo.view import Seen, joining_line, last_line, one_line, screen
from edge.monitor.share import share
from edge.records import Cuts

CONTENT = {
    "escape": {"target": 0.02},
    "overkill": {"target": 0.05},
    "confidence": 0.95,
    "n_defect": 806,
    "n_good": 794,
}
CALIBRATION = Calibration("c", Binding("b", "r", "m", "v"), Cuts(0.1, 0.9), CONTENT)
RUNNING = {"degree": "partial", "degree_why": "the ceiling", "parts_per_second": 5.0, "state": "ok"}


def tally():
    return Tally(
        decisions=Counter(accept=60, reject=10, escalate=30),
        of_defects=Counter(accept=2, reject=10, escalate=24),
        of_good=Counter(accept=58, escalate=6),
        seq=120,
    )


JOINING = Joining("http://127.0.0.1:8080", "1", "483920", ("a", "b"))


def seen(line=RUNNING, sync=None, counted=None):
    found = counted or tally()
    config = "demo-state/edge-inspect.yaml"
    return Seen(found, line, sync, CALIBRATION, config, "bin/edge-inspect", JOINING)


def drawn(moment, width=112, height=40):
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(screen(moment, width, height))
    return console.export_text()


@pytest.mark.parametrize("width", [80, 112, 200])
def test_it_says_that_it_is_simulated_at_every_width(width):
    assert "SIMULATED" in drawn(seen(), width)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (112, 40)])
def test_it_says_how_to_join_and_who_else_answers(width, height):
    (row,) = [line for line in drawn(seen(), width, height).splitlines() if "join" in line]
    for part in ("http://127.0.0.1:8080", "number 1", "PIN 483920", "2 simulated operators"):
        assert part in row


@pytest.mark.parametrize(
    ("tokens", "said"), [((), "no simulated operators"), (("a",), "1 simulated operator,")]
)
def test_a_log_says_how_to_join_and_how_often_simulated_operators_err(tokens, said):
    line = joining_line(Joining("http://127.0.0.1:1", "1", "483920", tokens))
    assert said in line
    assert "2% of their answers wrong" in line
    assert "http://127.0.0.1:1  number 1  PIN 483920" in line


@pytest.mark.parametrize("width", [80, 110])
def test_a_true_rate_stands_beside_its_claim_and_its_interval(width):
    true = share(2, 36)
    (row,) = [line for line in drawn(seen(), width).splitlines() if "≤ 2.0%" in line]
    assert "5.56% (2 of 36)" in row
    assert f"{true.low:.1%} to {true.high:.1%}" in row


def inspected(number):
    return {
        "part_id": f"R-{number}",
        "decision": "accept",
        "score": 0.1,
        "reason": "confident",
        "doubts": [],
        "truth": "good",
        "latency_ms": {"total": 1.0},
    }


@pytest.mark.parametrize("width", [80, 112, 200])
@pytest.mark.parametrize("height", [24, 30, 40, 60])
def test_it_fits_the_terminal(width, height):
    counted = tally()
    counted.last.extend(inspected(number) for number in range(20))
    text = drawn(seen(sync={"backlog": 5, "connected": True}, counted=counted), width, height)
    assert len(text.splitlines()) <= height
    assert "edge-inspect init" in text
    assert ("R-19" in text) == (width > 80 or height > 24)
    assert ("R-12" in text) == (height >= (40 if width == 80 else 30))


def test_without_parts_there_is_nothing_to_compare():
    (row,) = [line for line in drawn(seen(counted=Tally())).splitlines() if "≤ 2.0%" in line]
    assert row.count("–") == 2


@pytest.mark.parametrize("width", [80, 112])
def test_every_command_can_be_typed_as_it_is_shown(width):
    assert "bin/edge-inspect explain -c demo-state/edge-inspect.yaml R-000001" in drawn(
        seen(), width
    )


def test_before_the_line_is_up_it_is_starting():
    line = one_line(seen(line={}))
    assert "starting" in line
    assert "None" not in line


def test_one_line_has_counts_rate_degree_truth_and_backlog():
    line = one_line(seen(sync={"backlog": 1, "connected": True}))
    for part in (
        "100 parts, 60 accepted, 10 rejected, 30 escalated",
        "5.0 parts/s",
        "degree partial",
        "2 of 36 defects (95 %: 0.7% to 18.7%)",
        "backlog 1 record, broker connected",
    ):
        assert part in line


def test_without_a_broker_it_says_what_installs_one():
    assert "120 records, no mosquitto here (apt install mosquitto)" in one_line(seen())


@pytest.mark.parametrize(("backlog", "said"), [(0, False), (3, True)])
def test_the_last_line_says_what_is_left_to_deliver(backlog, said):
    assert ("3 records not delivered yet" in last_line(seen(sync={"backlog": backlog}))) == said
