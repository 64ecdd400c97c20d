import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from edge.cli.explain import explain
from edge.records import Automation, Cuts, ImageRef, Moment
from edge.review.verdicts import give
from edge.store.journal import Journal
from tests.edge.cli.test_results import CONFIG
from tests.edge.review.test_verdicts import correction, verdict
from tests.edge.store.builders import NOON, ORIGIN, alarm, disposition, due, inspection

app = typer.Typer()
app.command()(explain)

PART = replace(
    inspection(10, "escalate", asked=True, part="P-1"),
    model={"name": "rings", "version": "1.2.0", "bundle": "a" * 64},
    runtime="litert 2.3.0",
    cuts=Cuts(0.08, 0.91, True, "cal-7"),
    reason="doubt",
    would_be="accept",
    doubts=({"name": "blurred", "measured": 3.5, "limit": 12.0},),
    image=ImageRef("images/a.jpg", "b" * 64),
    truth="good",
)


def run(folder: Path, *arguments: str):
    (folder / "edge-inspect.yaml").write_text(CONFIG)
    return CliRunner().invoke(app, [*arguments, "--config", str(folder / "edge-inspect.yaml")])


@pytest.fixture
def station(tmp_path: Path) -> Path:
    journal = Journal.open(tmp_path / "state" / "line.db", "boot-1", 0)
    by = {"by": "anna", "account": "ops"}
    moment = Moment(NOON, 0)
    degree = Automation(
        alarm(1).id, ORIGIN, moment, "set", "partial", "partial", "trial", None, **by
    )
    journal.append([degree, PART], deadlines=due(PART))
    journal.close()
    return tmp_path


def _dispose(folder: Path, by: str, fate: str) -> None:
    journal = Journal.open(folder / "state" / "line.db", "boot-1", 0)
    journal.append([disposition(PART, by, fate)])
    journal.close()


def test_the_paragraph_answers_what_an_auditor_asks(station: Path) -> None:
    waiting = run(station, PART.id).stdout
    assert "waits for a person" in waiting
    _dispose(station, "fallback", "hold")
    done = run(station, "P-1")
    assert done.exit_code == 0
    assert done.stdout.count("\n") == 1
    for told in (
        f"Inspection {PART.id} of part P-1 at plant-a/line-3/caps on 2026-11-18 12:06:50 Europe",
        "model rings 1.2.0 (bundle aaaaaaaaaaaa, litert 2.3.0) gave it the score 0.25",
        "from the calibration cal-7, were: accept below 0.08, reject from 0.91",
        "degree of automation in force was partial; the last change before was made by anna"
        " (account ops)",
        "escalated to a person because there was a doubt",
        "By score and cuts alone it would have been accepted.",
        "Doubts: blurred (measured 3.5, limit 12).",
        "The part was held back by the fall-back, since nobody had answered by the deadline",
        "images/a.jpg",
        "Its known truth is good.",
    ):
        assert told in done.stdout


def test_a_part_without_a_prediction(tmp_path: Path) -> None:
    part = replace(
        inspection(1, "escalate"), reason="fault", fault="died", score=None, label=None, scores=None
    )
    journal = Journal.open(tmp_path / "state" / "line.db", "boot-1", 0)
    journal.append([replace(part, image_missing="busy")])
    journal.close()
    told = run(tmp_path, part.id).stdout
    for words in ("No prediction was made (died).", "No cuts were in force.", "kept (busy)"):
        assert words in told


def test_json_has_the_stored_records(station: Path) -> None:
    told = json.loads(run(station, "P-1", "--json").stdout)
    assert told["inspection"]["id"] == PART.id
    assert told["automation"]["by"] == "anna"
    assert (told["disposition"], told["calibration"]) == (None, None)


def test_an_unknown_part_fails_in_words(station: Path) -> None:
    done = run(station, "P-2")
    assert done.exit_code == 1
    assert "'P-2'" in done.stderr


def test_a_challenge_part_was_held_back_whatever_was_decided(tmp_path: Path) -> None:
    part = replace(inspection(1), tags={"challenge": "c-1"}, truth="defect")
    journal = Journal.open(tmp_path / "state" / "line.db", "boot-1", 0)
    journal.append([part, disposition(part, fate="hold")])
    journal.close()
    told = run(tmp_path, part.id).stdout
    assert "It was a challenge part of known truth and was held back" in told
    assert "as the model's answer said" not in told


def test_what_persons_said_and_took_back_is_told_in_order(station: Path) -> None:
    moment = Moment(PART.captured.wall + 5, 1)
    first = replace(verdict(1, PART.id, "accept"), given=moment)
    back = replace(correction(2, first, undo=True, reason=None), given=moment)
    second = replace(verdict(3, PART.id, "reject"), given=moment, answer_shown=True)
    label = replace(correction(4, second, to="accept", by="lena"), given=moment)
    for made in (first, back, second, label, replace(correction(5, label), given=moment)):
        give(station / "state", made)
    told = run(station, PART.id).stdout
    places = [
        told.index(words)
        for words in (
            "anna answered accept (scratch) on 2026-",
            "without seeing what the model said (answer verdict-1)",
            "anna took the answer verdict-1 back on",
            "anna answered reject (scratch)",
            "able to see what the model said",
            "lena corrected the label to accept on",
            "back as a label on",
        )
    ]
    assert places == sorted(places)
    assert "(a slip); what had happened to the part stays" in told
    shown = json.loads(run(station, PART.id, "--json").stdout)
    assert [one["id"] for one in shown["answers"]][:2] == ["verdict-1", "correction-2"]


def test_a_queue_that_cannot_be_read_is_left_out(station: Path) -> None:
    (station / "state" / "queue.db").write_bytes(b"noise" * 4000)
    done = run(station, PART.id)
    assert done.exit_code == 0
    assert "what persons said is left out" in done.stderr
