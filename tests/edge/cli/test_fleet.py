import hashlib
import json
import re
import subprocess
import sys
import uuid
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from edge.cli.fleet import app
from edge.records import Automation, Moment, uuid7
from edge.review.verdict import Verdict
from edge.store.archive import Archive
from edge.store.journal import Journal
from sync.chain import GENESIS, body
from sync.fleet import rollout_tables, tables
from sync.fleet.arrival import read
from sync.fleet.central import Central
from sync.fleet.database import Database
from sync.fleet.hearing import Word
from sync.segment import encode, join
from sync.topics import Station
from tests.edge.store.builders import NOON, ORIGIN, alarm, disposition, due, inspection
from tests.pages import rows, section, text
from tests.sync.fleet.plant import Chain

STATION = Station.parse(ORIGIN.station)
PART = replace(inspection(10, "escalate", asked=True, part="P-1"), reason="uncertain")
BY = {"by": "anna", "account": "ops"}
DEGREE = Automation(
    alarm(1).id, ORIGIN, Moment(NOON, 0), "set", "partial", "partial", "trial", None, **BY
)
LATER = replace(DEGREE, id=alarm(3).id, reason="much later")
VERDICT = Verdict(
    uuid7(NOON, uuid.uuid4().int), ORIGIN, Moment(NOON, 0), PART.id, "reject", part_id="P-1", **BY
)


def run(*arguments):
    return CliRunner().invoke(app, [*arguments])


def collected(folder, stream, records, **how):
    """Records that a station wrote, as a collector gets them."""
    path = folder / f"{stream}.db"
    journal = Journal.open(path, "boot", 0, stream=stream)
    journal.append(records, **how)
    epoch, _, _ = journal.head
    journal.close()
    with Archive(path) as archive:
        bodies = [row.body for row in archive.rows(0, 100, 1 << 20)]
    return read(STATION.results(stream), encode(join(stream, epoch, 1, GENESIS, bodies)))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request, tmp_path):
    """The central database with one part that a person rejected."""
    found = f"sqlite:///{tmp_path}/fleet.db"
    if request.param == "postgresql":
        found = request.getfixturevalue("postgres").create()
    central = Central(Database(found), lambda: "2026-11-20T12:00:00.000Z")
    answered = disposition(PART, "person", "reject")
    central.commit(
        [
            collected(
                tmp_path, "line", [DEGREE, alarm(2), PART, answered, LATER], deadlines=due(PART)
            ),
            collected(tmp_path, "queue", [VERDICT]),
        ]
    )
    central.database.close()
    return found


def test_the_story_of_a_part_is_told_from_what_was_collected(url):
    for name in ("P-1", PART.id):
        done = run("explain", name, "--database", url)
        assert done.exit_code == 0
        for words in (
            f"Inspection {PART.id} of part P-1 at plant-a/line-3/caps",
            "made by anna (account ops)",
            "The part was rejected by a person",
            "The person anna said reject at",
            "without a break up to this record",
        ):
            assert words in done.stdout


def test_its_records_are_given_as_they_were_stored(url):
    story = json.loads(run("explain", "P-1", "--database", url, "--json").stdout)
    assert set(story) == {"inspection", "disposition", "automation", "calibration", "verdicts"}
    assert story["calibration"] is None
    assert story["automation"]["reason"] == "trial"
    assert story["verdicts"][0]["verdict"] == "reject"
    one = story["disposition"]
    assert one["previous_hash"] == story["inspection"]["hash"]
    text = json.dumps(
        {name: one[name] for name in one if name not in ("hash", "previous_hash")},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    made = hashlib.sha256(bytes.fromhex(one["previous_hash"]) + text.encode()).hexdigest()
    assert made == one["hash"]


def test_what_another_station_says_is_not_in_the_story(url):
    other = Station("plant-a", "line-3", "other")
    content = {
        **VERDICT.content(),
        "station": str(other),
        "stream": "queue",
        "epoch": "e",
        "seq": 1,
    }
    central = Central(Database(url), lambda: "t")
    segment = join("queue", "e", 1, GENESIS, [body(content)])
    central.commit([read(other.results("queue"), encode(segment))])
    central.database.close()
    story = json.loads(run("explain", "P-1", "--database", url, "--json").stdout)
    assert len(story["verdicts"]) == 1


def test_a_part_of_another_one_is_not_in_the_story(url):
    assert run("explain", "P-2", "--database", url).exit_code == 1


def test_a_record_behind_a_hole_is_not_proved(tmp_path):
    url = f"sqlite:///{tmp_path}/fleet.db"
    central, line = Central(Database(url), lambda: "t"), Chain(9)
    central.commit([line.piece(5, 9)])
    central.database.close()
    done = run("explain", "P-7", "--database", url)
    assert done.exit_code == 0
    assert "is not proved yet" in done.stdout
    assert "lacks what an inspection has" in done.stdout


def test_the_books_balance(url):
    done = run("ledger", "--database", url)
    assert done.exit_code == 0
    heading, line, queue = done.stdout.splitlines()
    assert heading.split()[3:5] == ["recorded", "acknowledged"]
    assert line.split()[:2] + line.split()[3:5] == ["plant-a/line-3/caps", "line", "5", "5"]
    assert queue.split()[1] == "queue"
    books = json.loads(run("ledger", "--database", url, "--json").stdout)
    assert books["schema"] == "fleet-ledger/1"
    assert [one["held"] for one in books["streams"]] == [5, 1]
    assert "no station" in run("ledger", "--database", url, "--station", "a/b/c").stdout


def test_what_is_missing_is_named_and_exits_4(tmp_path):
    url = f"sqlite:///{tmp_path}/fleet.db"
    central, line, other = Central(Database(url), lambda: "t"), Chain(90), Chain(90, salt="x")
    central.commit([line.gap(1, 20), line.piece(21, 30), line.piece(41, 50)])
    central.commit([other.piece(31, 40), line.gap(51, 51, "too_large")])
    text = json.dumps(
        {
            "schema": "station-status/1",
            "station": str(line.station),
            "acknowledge": "broker",
            "backlogs": {"line": 3},
            "acknowledged": {"line": {"epoch": line.epoch, "seq": 60}},
        }
    )
    central.heard({str(line.station): Word(text, text)})
    central.database.close()
    done = run("ledger", "--database", url)
    assert done.exit_code == 4
    for words in (
        "1 to 20 pruned",
        "51 too_large",
        "what came as 31 to 40 does not follow what is held as 1 to 30",
        "31 to 40 missing, and nobody has said why",
        "52 to 60 missing",
    ):
        assert words in done.stdout
    (one,) = json.loads(run("ledger", "--database", url, "--json").stdout)["streams"]
    numbers = {name: one[name] for name in ("recorded", "held", "pruned", "missing", "waiting")}
    assert numbers == {"recorded": 63, "held": 20, "pruned": 20, "missing": 19, "waiting": 3}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve", "--broker", "mqtt://x", "--database", "sqlite:///x.db"], "--collect-only"),
        (["serve", "--collect-only", "--broker", "x", "--database", "sqlite:///x.db"], "mqtt://"),
        (["serve", "--collect-only", "--broker", "mqtt://x", "--database", "x"], "not a database"),
        (
            [
                "serve",
                "--collect-only",
                "--broker",
                "mqtt://x",
                "--database",
                "x",
                "--group",
                "a/+",
            ],
            "name of a group",
        ),
        (["ledger", "--database", "sqlite:///none.db"], "is not there"),
        (["ledger"], "--database"),
    ],
)
def test_wrong_usage_says_what_to_do(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert list(tmp_path.glob("*.db")) == []


def test_a_key_that_is_too_short(tmp_path):
    key = tmp_path / "key"
    key.write_text("short")
    done = run(
        *("serve", "--collect-only", "--broker", "mqtt://x", "--database"),
        *(f"sqlite:///{tmp_path}/x.db", "--ack-key-file", str(key)),
    )
    assert done.exit_code == 2
    assert "at least" in done.output


WITHOUT_THE_EXTRA = (
    "import sys; sys.modules['sqlalchemy'] = None; from edge.cli.main import main; main()"
)


def test_without_the_extra_it_says_how_to_get_it(tmp_path):
    """In a process of its own: modules imported twice in this one would outlive the test."""
    url = f"sqlite:///{tmp_path}/x.db"
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_EXTRA, "fleet", "ledger", "--database", url],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "pip install 'edge-inspect[fleet]'" in done.stderr


def test_the_commands_are_there():
    done = subprocess.run(
        [sys.executable, "-m", "edge", "fleet", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    for command in ("serve", "ledger", "explain"):
        assert command in done.stdout


# docs/fleet.md

PAGE = text("docs/fleet.md")


def test_members_of_the_books_are_documented(tmp_path):
    url = f"sqlite:///{tmp_path}/fleet.db"
    central, line, other = Central(Database(url), lambda: "t"), Chain(20), Chain(20, salt="x")
    central.commit([line.gap(1, 10), other.piece(11, 20)])
    central.database.close()
    books = json.loads(run("ledger", "--database", url, "--json").stdout)
    (one,) = books["streams"]
    told = section(PAGE, "The books")
    members = {word for row in rows(told) for word in re.findall(r"`([^`]+)`", row[0])}
    assert members == set(one)
    for name in [*books, *one["gaps"][0], *one["alarms"][0]]:
        assert f"`{name}`" in told


def test_tables_are_documented():
    told = {row[0].strip("`"): row[1] for row in rows(section(PAGE, "The tables"))}
    models = {
        name
        for row in rows(section(PAGE, "The tables of models"))
        for name in re.findall(r"`([^`]+)`", row[0])
    }
    known = set(rollout_tables.METADATA.tables)
    pictures = {name for name in known if f"`{name}`" in text("docs/pictures.md")}
    assert set(told) | models == known - pictures
    for name in ("records", "aside", "chains"):
        for column in tables.METADATA.tables[name].columns:
            if column.name not in ("station", "stream", "epoch"):
                assert f"`{column.name}`" in told[name], column


def test_options_of_serve_are_documented():
    done = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200"})
    offered = set(re.findall(r"--[a-z-]+", done.stdout)) - {"--help", "--collect-only"}
    told = section(PAGE, "Running a collector")
    assert offered <= set(re.findall(r"`(--[a-z-]+)`", told))


def test_queries_that_are_shown_work(url):
    database = Database(url)
    shown = re.search(r"```sql\n(.*?)```", PAGE, re.S)[1]
    queries = [query for query in shown.split(";") if query.strip()]
    assert len(queries) == 3
    for query in queries:
        others = "the same in SQLite" if not database.sqlite else "::jsonb"
        if others not in query:
            with database.transaction() as connection:
                found = connection.exec_driver_sql(query).all()
            if "subject" in query:
                assert ("disposition/1", "reject", "person") in [tuple(row) for row in found]
    database.close()
