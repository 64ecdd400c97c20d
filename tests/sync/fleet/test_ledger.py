import json

import pytest

from sync.fleet.central import Central
from sync.fleet.database import Database, DatabaseError
from sync.fleet.hearing import Word
from sync.fleet.ledger import ledger
from tests.sync.fleet.plant import EPOCH, STATION, Chain


@pytest.fixture
def central(database):
    return Central(database, lambda: "2026-11-20T12:00:00.000Z")


def say(central, delivered, backlog, acknowledge="collector", epoch=EPOCH):
    text = json.dumps(
        {
            "schema": "station-status/1",
            "station": str(STATION),
            "acknowledge": acknowledge,
            "backlogs": {"line": backlog},
            "acknowledged": {"line": {"epoch": epoch, "seq": delivered, "by": "s"}},
        }
    )
    central.heard({str(STATION): Word(text, text)})


def only(central):
    (entry,) = ledger(central.database)
    return entry


def test_an_empty_database_has_no_entries(central):
    assert ledger(central.database) == []


def test_held_waiting_and_ahead(central):
    line = Chain(60)
    central.commit([line.piece(1, 30), line.piece(41, 50), line.piece(1, 10)])
    say(central, 30, 30)
    entry = only(central)
    assert (entry.through, entry.hash, entry.ahead) == (30, line.hashes[30], ((41, 50),))
    assert (entry.account.recorded, entry.account.held, entry.account.waiting) == (60, 40, 20)
    assert (entry.duplicates, entry.account.missing, entry.spoken_of) == (10, 0, True)
    assert entry.said_by == "s"


def test_gaps_are_counted_by_reason_without_what_came_after_all(central):
    line = Chain(60)
    central.commit([line.gap(1, 20), line.piece(21, 40), line.gap(41, 41, "too_large")])
    central.commit([line.gap(42, 60, "lost"), line.piece(11, 15)])
    say(central, 60, 0)
    entry = only(central)
    assert entry.account.gone == {"pruned": 15, "too_large": 1, "lost": 19}
    assert (entry.account.held, entry.account.missing) == (25, 0)
    assert [(gap.first, gap.last, gap.why, gap.absent) for gap in entry.gaps] == [
        (1, 20, "pruned", 15),
        (41, 41, "too_large", 1),
        (42, 60, "lost", 19),
    ]


def test_gaps_that_overlap_are_counted_once(central):
    line = Chain(60)
    central.commit([line.gap(1, 20), line.gap(1, 30, blind=True)])
    assert only(central).account.gone == {"pruned": 30}


def test_what_the_broker_lost_is_missing(central):
    line = Chain(60)
    central.commit([line.piece(1, 30), line.piece(41, 60)])
    say(central, 60, 0, "broker")
    entry = only(central)
    assert entry.account.missing_ranges == ((31, 40),)
    assert entry.said_by == "broker"


def test_an_epoch_that_the_station_does_not_speak_of_any_more(central):
    line = Chain(60)
    central.commit([line.piece(1, 30), line.piece(41, 60)])
    say(central, 0, 5, epoch="newer")
    old, new = ledger(central.database)
    assert (old.spoken_of, old.account.missing) == (False, 10)
    assert (new.key.epoch, new.account.recorded, new.account.waiting) == ("newer", 5, 5)


def test_alarms_name_both_segments(central):
    line, other = Chain(60), Chain(60, salt="other")
    central.commit([line.piece(1, 30)])
    for _ in range(2):
        central.commit([other.piece(31, 60)])
    entry = only(central)
    (alarm,) = entry.alarms
    assert (alarm.kind, alarm.lower, alarm.upper, alarm.times) == ("join", (1, 30), (31, 60), 2)
    assert (entry.alarm_count, entry.conflicts) == (2, 60)


def test_one_station_alone(central):
    central.commit([Chain(3).piece(1, 3)])
    assert ledger(central.database, "plant-a/line-3/other") == []
    assert len(ledger(central.database, str(STATION))) == 1


def test_a_reader_changes_nothing(central, database_url):
    central.commit([Chain(3).piece(1, 3)])
    reader = Database(database_url, read_only=True)
    assert len(ledger(reader)) == 1
    reader.close()


@pytest.mark.postgres
def test_a_reader_makes_no_database(tmp_path, postgres):
    for url in (f"sqlite:///{tmp_path}/none.db", postgres.create()):
        reader = Database(url, read_only=True)
        with pytest.raises(DatabaseError):
            ledger(reader)
        reader.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [{"read_only": True}, {"create": False}])
def test_one_that_somebody_is_just_making_is_empty_and_nobody_elses(tmp_path, how):
    path = tmp_path / "fleet.db"
    path.touch()
    database = Database(f"sqlite:///{path}", **how)
    with pytest.raises(DatabaseError, match="is empty") as refusal:
        ledger(database)
    database.close()
    assert "try again" in refusal.value.mend
