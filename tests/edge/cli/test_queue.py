"""The queue at the command line: with the line stopped, and with a real one."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from edge.cli.queue import app
from edge.review.questions import OPEN_CHECKS
from edge.review.verdicts import FILE, after
from edge.statusfile import StatusFile
from edge.store.archive import Archive
from edge.store.images import ImageStore
from edge.store.journal import Journal
from edge.store.lock import Lock
from tests.appliance.station import config_of, pictures, start
from tests.appliance.station import station as make_station
from tests.edge.cli.test_results import CONFIG
from tests.edge.store.builders import NOON, disposition, due, inspection
from tests.simulators.patience import until

WAITING = inspection(1, "escalate", asked=True, part="P-1")
CHECK = replace(inspection(2, part="P-2"), asked=True, spot_check={"p": 0.5, "drawn": True})
SURE = inspection(3, "reject")


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """A stopped station: one part waits, one is a spot check, one was decided by the model."""
    state = tmp_path / "state"
    kept = ImageStore(state).keep(WAITING.id, NOON, b"picture")
    waiting = replace(WAITING, image=kept)
    journal = Journal.open(state / "line.db", "boot-1", 0)
    journal.append([waiting], deadlines=due(waiting))
    journal.append(
        [CHECK, disposition(CHECK), SURE, disposition(SURE)],
        state={OPEN_CHECKS: json.dumps([CHECK.id])},
    )
    journal.close()
    (tmp_path / "edge-inspect.yaml").write_text(CONFIG)
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(folder / "edge-inspect.yaml")])


def answers(folder: Path) -> list[dict[str, object]]:
    with Archive(folder / "state" / FILE) as queue:
        return [dict(record) for _, record in after(queue, 0)]


def test_the_list_shows_what_waits_and_why(station: Path) -> None:
    done = run(station, "list")
    assert done.exit_code == 0
    heading, first, second = done.stdout.splitlines()
    assert heading.split()[:2] == ["since", "part"]
    assert first.split() == ["2026-11-18", "12:06:41", "P-1", "uncertain", "60", "s", WAITING.id]
    assert second.split()[2:] == ["P-2", "spot", "check", "–", CHECK.id]
    rows = [json.loads(line) for line in run(station, "list", "--json").stdout.splitlines()]
    assert [row["id"] for row in rows] == [WAITING.id, CHECK.id]


def test_an_empty_queue_says_so(tmp_path: Path) -> None:
    (tmp_path / "edge-inspect.yaml").write_text(CONFIG)
    assert run(tmp_path, "list").stdout == "nothing waits for a person\n"
    assert run(tmp_path, "list", "--json").stdout == ""


def test_show_has_the_picture_and_what_may_be_seen(station: Path) -> None:
    shown = json.loads(run(station, "show", WAITING.id, "--json").stdout)
    assert Path(shown["picture"]).read_bytes() == b"picture"
    assert (shown["reason"], shown["score"], shown["answered"]) == ("uncertain", 0.25, None)
    assert "picture      –" in run(station, "show", CHECK.id).stdout


def test_a_spot_check_hides_what_the_model_said(station: Path) -> None:
    shown = json.loads(run(station, "show", CHECK.id, "--json").stdout)
    assert shown["reason"] == "spot check"
    assert not {"score", "label", "decision", "would_be", "disposition"} & set(shown)


def test_an_answer_is_recorded_whole(station: Path) -> None:
    words = ["--by", "anna", "--label", "scratch", "--note", "on the rim", "--basis", "part"]
    done = run(station, "verdict", WAITING.id, "reject", *words)
    assert done.exit_code == 0
    assert "will apply it when it starts" in done.stdout
    (made,) = answers(station)
    assert {name: made[name] for name in ("inspection", "verdict", "by", "label", "note")} == {
        "inspection": WAITING.id,
        "verdict": "reject",
        "by": "anna",
        "label": "scratch",
        "note": "on the rim",
    }
    assert (made["basis"], made["part_id"], made["answer_shown"]) == ("part", "P-1", True)
    assert isinstance(made["picture"], str)
    assert made["account"]
    assert "reject by anna" in run(station, "show", WAITING.id).stdout


def test_an_answer_to_a_spot_check_closes_the_question_and_is_a_label_only(station: Path) -> None:
    done = run(station, "verdict", CHECK.id, "accept", "--by", "anna")
    assert done.stdout.startswith("recorded as a label only: the part was accepted by the model")
    assert answers(station)[0]["answer_shown"] is False
    assert CHECK.id not in run(station, "list").stdout


def test_unsure_leaves_the_part_waiting(station: Path) -> None:
    done = run(station, "verdict", WAITING.id, "unsure", "--by", "anna")
    assert "goes on waiting" in done.stdout
    assert WAITING.id in run(station, "list").stdout


def test_a_dry_run_records_nothing(station: Path) -> None:
    done = run(station, "verdict", WAITING.id, "accept", "--by", "anna", "--dry-run")
    assert done.exit_code == 0
    assert answers(station) == []


def identity(done: Result) -> str:
    """The answer's id, as it is told to the person."""
    return done.stderr.split()[1].rstrip(":")


def test_an_answer_is_taken_back_while_the_line_does_not_run(station: Path) -> None:
    told = run(station, "verdict", WAITING.id, "accept", "--by", "anna")
    given = identity(told)
    assert f"`edge-inspect queue undo {given} --by anna`" in told.stderr
    assert WAITING.id not in run(station, "list").stdout, "it waits for the line alone"
    other = run(station, "undo", given, "--by", "bert")
    assert (other.exit_code, len(answers(station))) == (1, 1)
    assert "only who gave an answer" in other.stderr
    done = run(station, "undo", given, "--by", "anna")
    assert (done.exit_code, done.stdout) == (0, "undone: the part goes on waiting\n")
    assert WAITING.id in run(station, "list").stdout
    assert "taken back by anna" in run(station, "show", WAITING.id).stdout
    _, back = answers(station)
    assert (back["schema"], back["verdict"], back["undo"], back["to"]) == (
        "correction/1",
        given,
        True,
        None,
    )
    assert run(station, "undo", given, "--by", "anna").stdout == done.stdout
    assert len(answers(station)) == 2
    assert run(station, "undo", "nobody's", "--by", "anna").exit_code == 1


def test_too_late_the_label_is_taken_back(station: Path) -> None:
    given = identity(run(station, "verdict", CHECK.id, "reject", "--by", "anna"))
    done = run(station, "undo", given, "--by", "anna")
    assert done.stdout.startswith("too late: the part was accepted by the model at 2026-")
    assert answers(station)[1]["undo"] is False


def test_a_label_is_corrected_with_a_reason(station: Path) -> None:
    assert run(station, "correct", SURE.id, "accept", "--by", "lena").exit_code == 2
    words = ["--by", "lena", "--reason", "looked at the part", "--label", "scratch"]
    done = run(station, "correct", SURE.id, "reject", *words)
    assert (done.exit_code, done.stdout) == (0, "recorded: reject by lena\n")
    (made,) = answers(station)
    assert {name: made[name] for name in ("verdict", "to", "label", "by", "reason", "undo")} == {
        "verdict": None,
        "to": "reject",
        "label": "scratch",
        "by": "lena",
        "reason": "looked at the part",
        "undo": False,
    }
    assert made["account"]
    assert run(station, "correct", SURE.id, "none", "--by", "lena", "--reason", "x").exit_code == 0
    assert answers(station)[1]["to"] is None
    assert run(station, "correct", "nothing", "none", "--by", "l", "--reason", "x").exit_code == 1


def test_hold_is_said_like_the_rest(station: Path) -> None:
    done = run(station, "verdict", WAITING.id, "hold", "--by", "anna")
    assert "will apply it when it starts" in done.stdout
    (made,) = answers(station)
    assert (made["verdict"], made["hold"], made["via"]) == ("unsure", True, "command")
    assert WAITING.id not in run(station, "list").stdout


def test_nothing_is_said_while_another_process_writes(
    station: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.review.asking.PATIENCE_S", 0.05)
    with Lock(station / "state" / "queue.lock"):
        done = run(station, "verdict", WAITING.id, "accept", "--by", "anna")
    assert done.exit_code == 1
    assert answers(station) == []


def test_a_part_that_nobody_knows_is_an_error(station: Path) -> None:
    for words in (["show", "P-1"], ["verdict", "P-1", "accept", "--by", "anna"]):
        done = run(station, *words)
        assert done.exit_code == 1
        assert "no inspection has the id" in done.stderr
    assert run(station, "verdict", WAITING.id, "accept").exit_code == 2


@pytest.fixture
def line(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A running line that escalates every part and never falls back."""
    folder = pictures(tmp_path / "pictures", 3)
    path = make_station(
        tmp_path,
        {"source": "folder", "path": str(folder), "loop": True},
        trigger={"source": "interval", "every_ms": 200},
        decision={"automation": "shadow"},
        escalation={"deadline_s": 600, "undo_s": 0.3},
    )
    with start(path, "run", "--json") as process:
        yield path, process
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_a_running_line_does_what_the_person_said(
    line: tuple[Path, subprocess.Popen[str]],
) -> None:
    path, process = line
    assert process.stdout is not None
    part = json.loads(process.stdout.readline())
    while part["schema"] != "inspection/1":
        part = json.loads(process.stdout.readline())
    done = run(path.parent, "verdict", part["id"], "accept", "--by", "anna")
    assert (done.exit_code, done.stdout) == (0, "the part was accepted by a person\n")
    late = run(path.parent, "verdict", part["id"], "reject", "--by", "bert")
    assert late.stdout.startswith("recorded as a label only: the part was accepted by a person")
    with Archive(config_of(path).state_dir / "line.db") as archive:
        row = archive.disposition(part["id"])
    assert row is not None
    fate = json.loads(row.body)
    assert (fate["disposition"], fate["by"]) == ("accept", "person")
    assert fate["verdict"] == answers(path.parent)[0]["id"]


def test_an_answer_to_a_spot_check_of_a_running_line_is_seen_in_its_status(
    tmp_path: Path,
) -> None:
    folder = pictures(tmp_path / "pictures", 3)
    path = make_station(
        tmp_path,
        {"source": "folder", "path": str(folder), "loop": True},
        trigger={"source": "interval", "every_ms": 100},
        decision={
            "automation": "partial",
            "accept_below": 1.0,
            "reject_above": 1.0,
            "allow_uncertified": True,
            "spot_checks_per_day": 10_000_000,
        },
        escalation={"undo_s": 0},
    )
    status = StatusFile(config_of(path).status_folder, "line")
    with start(path, "run") as process:

        def a_moment() -> None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)

        def first() -> str | None:
            listed = run(tmp_path, "list", "--json").stdout.splitlines()
            return json.loads(listed[0])["id"] if listed else None

        def answered() -> bool:
            bounds: Any = (status.read() or {}).get("bounds")
            return bounds is not None and bounds["slip"]["answered"] == 1

        until(lambda: first() is not None, a_moment)
        check = first()
        assert check is not None
        done = run(tmp_path, "verdict", check, "accept", "--by", "anna")
        assert done.stdout.startswith("recorded as a label only: the part was accepted by the")
        until(answered, a_moment)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    bounds: Any = (status.read() or {})["bounds"]
    assert bounds["power"][0]["sentence"].startswith("spot checks: a doubled escape rate")
