import hashlib
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from edge.records import Automation, utc
from edge.store.archive import Archive
from edge.store.errors import Replaced
from edge.store.journal import Journal
from edge.store.verify import verify
from sync.chain import GENESIS
from tests.edge.store.builders import NOON, ORIGIN, alarm, disposition, due, inspection, sure
from tests.edge.store.processes import wait_until_done, writer


def _ids(rows) -> list[str]:
    return [json.loads(row.body)["id"] for row in rows]


@pytest.fixture
def journal(tmp_path: Path):
    opened = Journal.open(tmp_path / "line.db", "boot-1", 0)
    yield opened
    opened.close()


def test_a_running_line_is_read_and_its_news_seen(tmp_path: Path) -> None:
    with writer(tmp_path / "line.db", "3") as process:
        wait_until_done(process)
        with Archive.open(tmp_path / "line.db") as archive:
            assert (tmp_path / "line.db-wal").stat().st_size > 0
            assert verify(archive, tmp_path).records == 10


def test_a_stopped_line_is_read(tmp_path: Path) -> None:
    with writer(tmp_path / "line.db", "0") as process:
        wait_until_done(process)
    journal = Journal.open(tmp_path / "line.db", "boot-1", 0)
    journal.append(sure(5))
    journal.close()
    assert not (tmp_path / "line.db-wal").exists()
    with Archive.open(tmp_path / "line.db") as archive:
        assert verify(archive, tmp_path).records == 10
    again = Journal.open(tmp_path / "line.db", "boot-1", 0)
    again.append(sure(1))
    again.close()


@pytest.mark.parametrize("shm", [True, False])
def test_a_killed_line_is_read_also_without_its_index_file(tmp_path: Path, shm: bool) -> None:
    path = tmp_path / "line.db"
    with writer(path, "3") as process:
        wait_until_done(process)
        process.kill()
        process.wait()
        if not shm:
            (tmp_path / "line.db-shm").unlink()
        database = hashlib.sha256(path.read_bytes()).hexdigest()
        with Archive.open(path) as archive:
            assert verify(archive, tmp_path).records == 10
    assert hashlib.sha256(path.read_bytes()).hexdigest() == database
    journal = Journal.open(path, "boot-1", 0)
    assert journal.head[1] == 10
    journal.close()


def test_before_the_first_record_there_is_nothing_and_no_error(tmp_path: Path) -> None:
    path = tmp_path / "line.db"
    archive = Archive.open(path)
    for make in (lambda: None, path.touch):
        make()
        assert archive.epoch is None
        assert archive.rows(0, 10, 1000) == []
        assert (archive.head(), archive.anchor.seq) == ((0, GENESIS), 0)
        assert (archive.counts(), archive.newest(5), archive.find("x")) == ({}, [], [])
        assert (archive.story("x"), archive.state("x")) == (None, None)
    journal = Journal.open(path, "boot-1", 0)
    assert (archive.epoch, archive.head()) == (journal.head[0], (0, GENESIS))
    journal.append(sure(1))
    assert archive.head() == journal.head[1:]
    archive.close()
    journal.close()


def test_a_new_file_in_its_place_is_noticed(tmp_path: Path, journal: Journal) -> None:
    journal.append(sure(2))
    archive = Archive.open(journal.path)
    old = archive.epoch
    assert len(archive.rows(0, 10, 1 << 20, epoch=old)) == 4
    journal.close()
    journal.path.rename(tmp_path / "set-aside.db")
    assert archive.rows(0, 10, 1 << 20) == []
    fresh = Journal.open(journal.path, "boot-1", 0)
    fresh.append(sure(1))
    assert (archive.epoch, archive.head()) == (fresh.head[0], fresh.head[1:])
    with pytest.raises(Replaced):
        archive.rows(0, 10, 1 << 20, epoch=old)
    archive.close()
    fresh.close()


def test_rows_are_bounded_in_number_and_bytes_but_always_go_on(journal: Journal) -> None:
    journal.append(sure(5))
    with Archive.open(journal.path) as archive:
        everything = archive.rows(0, 100, 1 << 20)
        assert [row.seq for row in everything] == list(range(1, 11))
        assert archive.rows(0, 3, 1 << 20) == everything[:3]
        two = len(everything[0].body) + len(everything[1].body)
        assert archive.rows(0, 100, two) == everything[:2]
        assert archive.rows(0, 100, two - 1) == everything[:1]
        assert archive.rows(4, 100, 1) == everything[4:5]
        assert archive.rows(10, 100, 1 << 20) == []


def test_the_newest_are_chosen_by_place_and_shown_newest_last(journal: Journal) -> None:
    parts = [inspection(n, ("accept", "reject", "escalate")[n % 3]) for n in range(9)]
    # The clock jumped back: place counts, not time.
    parts.append(replace(inspection(10), captured=replace(parts[0].captured, wall=NOON - 1000)))
    journal.append(parts)
    with Archive.open(journal.path) as archive:
        ids = [part.id for part in parts]
        assert _ids(archive.newest(3)) == ids[-3:]
        assert _ids(archive.newest(100)) == ids
        assert _ids(archive.newest(2, decision="reject")) == [ids[4], ids[7]]
        assert _ids(archive.newest(100, since=utc(NOON + 5))) == ids[5:9]
        assert _ids(archive.newest(2, since=utc(NOON + 5), decision="escalate")) == [ids[5], ids[8]]
        assert _ids(archive.inspections(0, 100)) == ids
        assert _ids(archive.inspections(3, 2)) == ids[3:5]
        assert _ids(archive.inspections(0, 9, utc(NOON + 2), "escalate")) == [
            ids[2],
            ids[5],
            ids[8],
        ]


def test_a_part_is_found_by_inspection_or_part_id(journal: Journal) -> None:
    twice = [inspection(1, part="P-1"), inspection(2, part="P-1"), inspection(3, part="P-2")]
    journal.append(twice)
    with Archive.open(journal.path) as archive:
        assert _ids(archive.find(twice[2].id)) == [twice[2].id]
        assert _ids(archive.find("P-1")) == [twice[0].id, twice[1].id]
        assert archive.find("P-3") == []


def _degree(number: int, degree: str) -> Automation:
    origin = alarm(number)
    return Automation(origin.id, ORIGIN, origin.decided, "set", degree, degree, "trial", by="anna")


def test_a_story_has_the_disposition_and_the_last_change_before_the_part(journal: Journal) -> None:
    part = inspection(3, "escalate", asked=True)
    before, after = _degree(2, "assist"), _degree(4, "full")
    journal.append([_degree(1, "shadow"), alarm(1), before, part, after], deadlines=due(part))
    with Archive.open(journal.path) as archive:
        story = archive.story(part.id)
        assert story is not None
        assert (story.disposition, story.calibration) == (None, None)
        assert story.open is not None
        assert json.loads(story.automation.body)["id"] == before.id
        journal.append([disposition(part, "person", "reject")])
        story = archive.story(part.id)
        assert story.open is None
        assert json.loads(story.disposition.body)["disposition"] == "reject"
        assert archive.story("nobody") is None


def test_counts_and_hashes(journal: Journal) -> None:
    done = journal.append(sure(3))
    with Archive.open(journal.path) as archive:
        assert archive.counts()["decision:accept"] == 3
        assert archive.counts()["disposition:accept:model"] == 3
        assert [archive.last_hash(n) for n in (0, 1, 6)] == [GENESIS, done[0].hash, done[5].hash]
        assert archive.last_hash(7) is None


def test_an_anchor_stands_for_what_was_deleted(journal: Journal, tmp_path: Path) -> None:
    done = journal.append(sure(3))
    journal.close()
    with sqlite3.connect(journal.path) as database:
        anchor = (4, bytes.fromhex(done[3].hash), 4, utc(NOON), "collector-1")
        database.execute("INSERT INTO anchors VALUES (?, ?, ?, ?, ?)", anchor)
        database.execute("DELETE FROM records WHERE seq <= 4")
    database.close()
    with Archive.open(journal.path) as archive:
        assert (archive.anchor.seq, archive.anchor.hash) == (4, done[3].hash)
        assert archive.last_hash(4) == done[3].hash
        finding = verify(archive, tmp_path)
        assert (finding.sound, finding.records, finding.anchor.seq) == (True, 2, 4)
    with sqlite3.connect(journal.path) as database:
        database.execute("DELETE FROM records")
        newest = (6, bytes.fromhex(done[5].hash), 2, utc(NOON), "collector-1")
        database.execute("INSERT INTO anchors VALUES (?, ?, ?, ?, ?)", newest)
    database.close()
    again = Journal.open(journal.path, "boot-1", 0)
    assert again.head[1:] == (6, done[5].hash)
    assert again.append([alarm(1)])[0].seq == 7
    again.close()


@pytest.mark.parametrize(
    ("table", "index"),
    [
        ("subject = 'x' AND schema = 'inspection/1'", "records_subject"),
        ("part_id = 'x'", "records_part"),
        ("decision IS NOT NULL AND decision = 'x' ORDER BY seq DESC LIMIT 9", "records_decision"),
    ],
)
def test_look_ups_use_their_index(journal: Journal, table: str, index: str) -> None:
    plan = journal._database.execute(f"EXPLAIN QUERY PLAN SELECT seq FROM records WHERE {table}")
    assert [index in row[3] for row in plan] == [True]
