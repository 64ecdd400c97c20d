import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from edge.cli.results import results
from edge.records import utc
from edge.store.images import ImageStore
from edge.store.journal import Journal
from sync.chain import GENESIS, link
from tests.edge.store.builders import NOON, disposition, due, inspection

app = typer.Typer()
app.command()(results)

CONFIG = """
station: {site: plant-a, line: line-3, name: caps, time_zone: Europe/Berlin}
state_dir: state
camera: {source: synthetic}
model: {bundle: "@rings"}
"""


def run(folder: Path, *arguments: str):
    """The command in a folder with a configuration; result with exit_code, stdout, stderr."""
    (folder / "edge-inspect.yaml").write_text(CONFIG)
    return CliRunner().invoke(app, [*arguments, "--config", str(folder / "edge-inspect.yaml")])


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """A folder with a station that accepted, rejected and escalated, 30 parts in all."""
    state = tmp_path / "state"
    parts = [inspection(n, ("accept", "reject")[n % 2], part=f"P-{n}") for n in range(29)]
    waiting = inspection(29, "escalate", asked=True, part="=evil\x1b[2J")
    kept = ImageStore(state).keep(parts[0].id, NOON, b"picture")
    parts[0] = replace(parts[0], image=kept)
    journal = Journal.open(state / "line.db", "boot-1", 0)
    journal.append([r for part in parts for r in (part, disposition(part))])
    journal.append([waiting], deadlines=due(waiting))
    journal.close()
    return tmp_path


def test_the_newest_come_last_with_local_times_and_what_became_of_them(station: Path) -> None:
    done = run(station)
    assert done.exit_code == 0
    heading, *lines = done.stdout.splitlines()
    assert heading.split()[:3] == ["time", "part", "decision"]
    assert len(lines) == 20
    assert lines[-2].split()[:7] == [
        *("2026-11-18", "12:07:08", "P-28", "accept", "confident", "0.2500", "accept")
    ]
    assert "escalate" in lines[-1]
    assert "waiting" in lines[-1]
    assert "\x1b" not in done.stdout


def test_json_is_the_stored_text_with_its_place_in_the_chain(station: Path) -> None:
    done = run(station, "--json", "--all")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 30
    assert json.loads(lines[0])["previous_hash"] == GENESIS
    for line in lines:
        content = json.loads(line)
        stored = line[: line.index(',"previous_hash"')] + "}"
        assert link(content["previous_hash"], stored.encode()) == content["hash"]
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, 60, 2))


def test_the_program_in_the_docs_checks_the_output(station: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "wire-format.md").read_text()
    program = page.split("```python\n")[1].split("```")[0]
    lines = run(station, "--json", "--all").stdout
    for text, code in ((lines, 0), (lines.replace("0.25", "0.26", 1), 1)):
        done = subprocess.run(
            [sys.executable, "-c", program], input=text, text=True, stderr=subprocess.DEVNULL
        )
        assert done.returncode == code


def test_csv_has_one_line_for_each(station: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(station, "--csv", "--limit", "2").stdout)))
    assert [(row["part_id"], row["disposition"], row["by"]) for row in rows] == [
        ("P-28", "accept", "model"),
        ("=evil?[2J", "", ""),
    ]


def _parts(done) -> list[str]:
    return [json.loads(line)["part_id"] for line in done.stdout.splitlines()]


def test_choosing(station: Path) -> None:
    assert _parts(run(station, "--json", "--decision", "reject", "--limit", "2")) == [
        "P-25",
        "P-27",
    ]
    late = utc(NOON + 27)
    assert _parts(run(station, "--json", "--since", late))[:2] == ["P-27", "P-28"]
    assert _parts(run(station, "--json", "--all", "--since", late, "--decision", "accept")) == [
        "P-28"
    ]


@pytest.mark.parametrize("wrong", [["--since", "soon"], ["--csv", "--json"], ["--limit", "0"]])
def test_wrong_usage(station: Path, wrong: list[str]) -> None:
    assert run(station, *wrong).exit_code == 2


def test_a_station_that_never_ran(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "no records yet" in done.stderr
    assert run(tmp_path, "--verify").exit_code == 4


def test_verify_says_that_all_is_whole(station: Path) -> None:
    done = run(station, "--verify")
    assert done.exit_code == 0
    assert "The chain is whole: 59 records" in done.stdout
    assert "1 named, 1 as recorded, 0 missing or changed" in done.stdout
    told = json.loads(run(station, "--verify", "--json").stdout)
    assert (told["sound"], told["records"], told["broken"]) == (True, 59, None)


def test_verify_fails_with_4_for_a_changed_picture_and_a_damaged_file(station: Path) -> None:
    next((station / "state" / "images").rglob("*.jpg")).write_bytes(b"another")
    done = run(station, "--verify")
    assert done.exit_code == 4
    assert "changed" in done.stdout
    (station / "state" / "line.db").write_bytes(b"nonsense" * 1000)
    told = run(station, "--verify", "--json")
    assert told.exit_code == 4
    assert "cannot be read" in json.loads(told.stdout)["broken"]["what"]


def test_a_damaged_file_is_an_error_in_words(station: Path) -> None:
    (station / "state" / "line.db").write_bytes(b"nonsense" * 1000)
    done = run(station)
    assert done.exit_code == 1
    assert "results --verify" in done.stderr


def test_pictures_outside_the_records_are_none_of_its_business(station: Path) -> None:
    (station / "state" / "images" / "stray.jpg").write_bytes(b"x")
    assert run(station, "--verify").exit_code == 0


def test_where_nothing_is_recorded_no_chain_is_called_whole(tmp_path: Path) -> None:
    done = run(tmp_path, "--verify")
    assert done.exit_code == 4
    assert done.stdout == ""
    assert "nothing to verify" in done.stderr


def test_where_nothing_fits_a_person_is_told(station: Path) -> None:
    done = run(station, "--since", "2099-01-01")
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "no such inspection" in done.stderr
