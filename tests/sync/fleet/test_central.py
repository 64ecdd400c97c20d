import itertools
import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import chain
from sync.acknowledgement import MOST_AHEAD, Span, Through
from sync.fleet import database as database_module
from sync.fleet import tables
from sync.fleet.arrival import Key
from sync.fleet.central import MOST_EPOCHS, Central
from sync.fleet.database import Away, Database, DatabaseError, file_of
from sync.fleet.hearing import Word
from tests.sync.fleet.plant import EPOCH, STATION, Chain

STREAM = (str(STATION), "line")
KEY = Key(str(STATION), "line", EPOCH)
numbers = itertools.count(1)


def clock():
    return f"2026-11-20T12:00:00.{next(numbers):06d}Z"


@pytest.fixture
def central(database):
    return Central(database, clock)


def held(central, key=KEY):
    """The rows of a chain: seq → body."""
    query = (
        sa.select(tables.records.c.seq, tables.records.c.body)
        .join(tables.chains)
        .where(tables.chains.c.epoch == key.epoch, tables.chains.c.station == key.station)
    )
    with central.database.transaction() as connection:
        return {seq: body.encode() for seq, body in connection.execute(query)}


def rows(central, table):
    with central.database.transaction() as connection:
        return [row._asdict() for row in connection.execute(sa.select(table))]


def through(found, epoch=EPOCH):
    return next(one for one in found.epochs if one.epoch == epoch)


def test_what_is_committed_is_there_as_it_was_sent_and_is_acknowledged(central):
    line = Chain(30)
    done = central.commit([line.piece(1, 20), line.piece(21, 30)])
    assert done.acknowledgements[STREAM].epochs == (Through(EPOCH, 30, line.hashes[30]),)
    assert done.acknowledgements[STREAM].store == central.database.store
    assert held(central) == dict(enumerate(line.bodies, 1))
    assert done.tally.new == 30
    first = rows(central, tables.records)[0]
    assert (first["part_id"], first["decision"], first["schema"]) == (
        "P-1",
        "accept",
        "inspection/1",
    )
    assert bytes(first["hash"]).hex() == line.hashes[1]


def test_it_is_still_there_for_the_next_one(central, database_url):
    line = Chain(10)
    central.commit([line.piece(1, 10)])
    again = Central(Database(database_url), clock)
    assert again.standing()[STREAM].epochs == (Through(EPOCH, 10, line.hashes[10]),)
    assert again.database.store == central.database.store
    assert again.through(KEY) == 10
    assert again.through(Key(*KEY[:2], "never seen")) == 0
    again.database.close()


def test_what_came_ahead_is_kept_and_joined_later(central):
    line = Chain(50)
    done = central.commit([line.piece(41, 50), line.piece(21, 30)])
    assert through(done.acknowledgements[STREAM]) == Through(
        EPOCH, 0, chain.GENESIS, (Span(21, 30, line.hashes[30]), Span(41, 50, line.hashes[50]))
    )
    done = central.commit([line.piece(1, 20)])
    assert through(done.acknowledgements[STREAM]).through == 30
    done = central.commit([line.piece(31, 40)])
    assert through(done.acknowledgements[STREAM]) == Through(EPOCH, 50, line.hashes[50])
    assert rows(central, tables.spans) == []


def test_no_more_spans_are_said_than_can_be_read(central):
    line = Chain(60)
    done = central.commit([line.piece(seq, seq) for seq in range(60, 3, -3)])
    said = through(done.acknowledgements[STREAM])
    assert len(said.ahead) == MOST_AHEAD
    assert said.ahead[0].first == 6
    assert len(rows(central, tables.spans)) == 19


def test_the_newest_epochs_are_said(central):
    for number in range(MOST_EPOCHS + 2):
        central.commit([Chain(1, epoch=f"epoch-{number}").piece(1, 1)])
    done = central.commit([Chain(1, epoch="epoch-0").piece(1, 1)])
    said = [one.epoch for one in done.acknowledgements[STREAM].epochs]
    assert said[:3] == ["epoch-0", f"epoch-{MOST_EPOCHS + 1}", f"epoch-{MOST_EPOCHS}"]
    assert len(said) == MOST_EPOCHS


def test_streams_and_stations_are_apart(central):
    pieces = [Chain(3, stream=stream).piece(1, 3) for stream in ("line", "queue")]
    done = central.commit(pieces)
    assert {key: one.epochs[0].through for key, one in done.acknowledgements.items()} == {
        STREAM: 3,
        (str(STATION), "queue"): 3,
    }


def test_repeated_and_overlapping_segments_are_filtered(central):
    line = Chain(30)
    central.commit([line.piece(1, 20)])
    done = central.commit([line.piece(11, 25), line.piece(1, 20), line.piece(15, 30)])
    assert (done.tally.new, done.tally.duplicates, done.tally.conflicts) == (10, 10 + 20 + 11, 0)
    assert through(done.acknowledgements[STREAM]).through == 30
    assert held(central) == dict(enumerate(line.bodies, 1))
    assert rows(central, tables.chains)[0]["duplicates"] == 41


def test_other_bytes_under_a_number_that_is_taken_are_set_aside_and_named(central):
    line, other = Chain(20), Chain(20, salt="restored from an image")
    central.commit([line.piece(1, 20)])
    done = central.commit([other.piece(11, 20)])
    assert (done.tally.new, done.tally.conflicts, done.tally.alarms) == (0, 10, 1)
    assert through(done.acknowledgements[STREAM]) == Through(EPOCH, 20, line.hashes[20])
    assert held(central) == dict(enumerate(line.bodies, 1))
    assert {row["seq"]: row["body"].encode() for row in rows(central, tables.aside)} == {
        seq: other.bodies[seq - 1] for seq in range(11, 21)
    }
    (alarm,) = rows(central, tables.alarms)
    assert alarm["kind"] == "conflict"
    assert (alarm["lower_last"], alarm["lower_hash"]) == (10, line.hashes[10])
    assert (alarm["upper_first"], alarm["upper_last"]) == (11, 20)
    assert alarm["upper_previous_hash"] == other.hashes[10]


def test_a_segment_that_does_not_follow_moves_nothing(central):
    line, other = Chain(20), Chain(20, salt="other")
    central.commit([line.piece(1, 10)])
    for _ in range(3):
        done = central.commit([other.piece(11, 20)])
        assert through(done.acknowledgements[STREAM]) == Through(EPOCH, 10, line.hashes[10])
    (alarm,) = rows(central, tables.alarms)
    assert (alarm["kind"], alarm["times"]) == ("join", 3)
    assert (alarm["lower_first"], alarm["lower_last"]) == (1, 10)
    assert (alarm["upper_first"], alarm["upper_last"]) == (11, 20)
    assert through(central.commit([line.piece(11, 20)]).acknowledgements[STREAM]).through == 20


def test_what_came_ahead_and_does_not_fit_gives_way_to_what_does(central):
    line, other = Chain(30), Chain(30, salt="other")
    central.commit([other.piece(11, 20)])
    done = central.commit([line.piece(1, 10)])
    assert through(done.acknowledgements[STREAM]) == Through(EPOCH, 10, line.hashes[10])
    assert set(held(central)) == set(range(1, 11))
    done = central.commit([line.piece(11, 30)])
    assert through(done.acknowledgements[STREAM]).through == 30
    assert held(central) == dict(enumerate(line.bodies, 1))
    assert {row["seq"] for row in rows(central, tables.aside)} == set(range(11, 21))


def test_gaps_are_joined_and_listed(central):
    line = Chain(40)
    done = central.commit([line.gap(1, 10), line.piece(11, 20), line.gap(21, 30, "lost")])
    assert through(done.acknowledgements[STREAM]) == Through(EPOCH, 30, line.hashes[30])
    done = central.commit([line.piece(31, 40)])
    assert through(done.acknowledgements[STREAM]).through == 40
    listed = [(row["first"], row["last"], row["why"]) for row in rows(central, tables.gaps)]
    assert listed == [(1, 10, "pruned"), (21, 30, "lost")]


def test_records_that_come_later_for_a_gap_are_stored(central):
    line, other = Chain(20), Chain(20, salt="other")
    central.commit([line.gap(1, 10, blind=True), line.piece(11, 20)])
    done = central.commit([other.piece(5, 10)])
    assert done.tally.conflicts == 6
    done = central.commit([line.piece(3, 10)])
    assert done.tally.new == 8
    assert set(held(central)) == set(range(3, 21))


def test_a_gap_over_records_that_are_held_takes_nothing_away(central):
    line = Chain(20)
    central.commit([line.piece(1, 12)])
    central.commit([line.gap(1, 12)])
    assert rows(central, tables.gaps) == []
    done = central.commit([line.gap(1, 15, blind=True)])
    assert through(done.acknowledgements[STREAM]) == Through(EPOCH, 15, line.hashes[15])
    assert set(held(central)) == set(range(1, 13))
    assert done.tally.gaps == 1


def test_a_gap_that_contradicts_what_is_held_moves_nothing(central):
    line, other = Chain(20), Chain(20, salt="other")
    central.commit([line.piece(1, 12)])
    done = central.commit([other.gap(1, 12), other.gap(13, 20)])
    assert through(done.acknowledgements[STREAM]) == Through(EPOCH, 12, line.hashes[12])
    assert done.tally.alarms == 2
    assert rows(central, tables.gaps) == []


def test_a_gap_of_which_nobody_knows_the_end_waits_for_what_follows(central):
    line = Chain(40)
    done = central.commit([line.piece(1, 10), line.gap(11, 20, "lost", open_end=True)])
    assert through(done.acknowledgements[STREAM]) == Through(EPOCH, 10, line.hashes[10])
    done = central.commit([line.piece(21, 40)])
    assert through(done.acknowledgements[STREAM]) == Through(EPOCH, 40, line.hashes[40])


def test_a_gap_goes_with_the_span_that_gives_way(central):
    line, other = Chain(40), Chain(40, salt="other")
    central.commit([other.gap(11, 15), other.piece(16, 20)])
    central.commit([line.piece(1, 10)])
    assert rows(central, tables.gaps) == []
    done = central.commit([line.piece(11, 40)])
    assert through(done.acknowledgements[STREAM]).through == 40


def test_words_of_stations_are_kept_with_the_last_numbers(central):
    central.heard({"a/b/c": Word('{"n":1}', '{"n":1}'), "a/b/d": Word("{}", None)})
    central.heard({"a/b/c": Word('{"sync":"down"}', None)})
    told = {row["station"]: row for row in rows(central, tables.stations)}
    assert told["a/b/c"]["status"] == '{"sync":"down"}'
    assert told["a/b/c"]["delivery"] == '{"n":1}'
    assert told["a/b/d"]["delivery"] is None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), length=st.integers(1, 120))
def test_any_shuffling_of_overlapping_repeated_pieces_ends_whole(central, seed, length):
    chance = random.Random(seed)
    epoch = f"epoch-{next(numbers)}"
    line, pieces, first = Chain(length, epoch=epoch), [], 1
    while first <= length:
        last = min(length, first + chance.randint(0, 30))
        pieces += [line.piece(first, last)] * chance.randint(1, 2)
        if chance.random() < 0.3:
            low = chance.randint(1, length)
            pieces.append(line.piece(low, chance.randint(low, length)))
        first = last + 1
    chance.shuffle(pieces)
    sent, new, duplicates = sum(len(piece.rows) for piece in pieces), 0, 0
    while pieces:
        together = [pieces.pop() for _ in range(min(len(pieces), chance.randint(1, 4)))]
        done = central.commit(together)
        new += done.tally.new
        duplicates += done.tally.duplicates
        assert done.tally.conflicts == done.tally.alarms == 0
    assert done.acknowledgements[STREAM].epochs[0] == Through(epoch, length, line.hashes[length])
    assert held(central, Key(*STREAM, epoch)) == dict(enumerate(line.bodies, 1))
    assert (new, duplicates) == (length, sent - length)


@pytest.mark.postgres
def test_two_at_once_share_one_postgresql(postgres):
    """The same pieces of several chains to both, in other orders: no deadlock, each record once."""
    url = postgres.create()
    lines = [Chain(60, epoch=f"epoch-{number}") for number in range(4)]
    pieces = [line.piece(low, low + 9) for line in lines for low in range(1, 60, 5) if low < 52]

    def work(seed):
        chance, new = random.Random(seed), 0
        central, mine = Central(Database(url), clock), list(pieces)
        chance.shuffle(mine)
        while mine:
            done = central.commit([mine.pop() for _ in range(min(3, len(mine)))])
            new += done.tally.new
        central.database.close()
        return new

    with ThreadPoolExecutor(2) as workers:
        assert sum(workers.map(work, (1, 2))) == 4 * 60
    central = Central(Database(url), clock)
    said = central.standing()[STREAM].epochs
    assert {(one.epoch, one.through, one.hash) for one in said} == {
        (line.epoch, 60, line.hashes[60]) for line in lines
    }
    central.database.close()


@pytest.mark.postgres
def test_one_that_stops_in_the_middle_does_not_hold_up_others_for_ever(postgres, monkeypatch):
    monkeypatch.setattr(database_module, "IDLE_MS", 300)
    url, line = postgres.create(), Chain(20)
    stopped, other = (Central(Database(url), clock) for _ in range(2))
    stopped.open()
    half = stopped.begin([line.piece(1, 10)])
    done = other.commit([line.piece(1, 20)])
    assert through(done.acknowledgements[STREAM]).through == 20
    with pytest.raises(Away):
        half.finish()
    for central in (stopped, other):
        central.database.close()


@pytest.mark.postgres
def test_commits_are_durable_whatever_the_server_s_default_is(postgres):
    central = Central(Database(postgres.create()), clock)
    with central.database.transaction() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    central.database.close()


@pytest.mark.postgres
def test_a_server_that_goes_away_is_met_again(postgres):
    central, line = Central(Database(postgres.create()), clock), Chain(20)
    central.commit([line.piece(1, 10)])
    postgres.kill()
    with pytest.raises(Away) as raised:
        central.commit([line.piece(11, 20)])
    assert "psql" in raised.value.mend
    postgres.start()
    done = central.commit([line.piece(11, 20)])
    assert through(done.acknowledgements[STREAM]).through == 20
    central.database.close()


def test_an_sqlite_file_of_somebody_else_is_refused(tmp_path):
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE something (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match="not a database of edge-inspect"):
        Central(Database(f"sqlite:///{path}"), clock).open()
    assert path.read_bytes() == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_is_away_and_nothing_counts(central):
    line = Chain(20)
    central.commit([line.piece(1, 10)])
    with central.database.transaction() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    big = Chain(5_000, epoch="epoch-big")
    with pytest.raises(Away, match="full"):
        central.commit([line.piece(11, 20), big.piece(1, 5_000)])
    assert set(held(central)) == set(range(1, 11))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_damaged_file_is_away_with_words(central, database_url):
    line = Chain(2_000)
    central.commit([line.piece(1, 2_000)])
    central.database.close()
    path = file_of(database_url)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(Away, match="malformed"):
        central.commit([line.piece(1, 100)])


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:se@cr/et@h/x",
        "postgresql:/u:se@cr/et@h/x",
        "postgresql://u:secret@127.0.0.1:1/x",
    ],
)
def test_no_message_tells_a_password(url):
    with pytest.raises(DatabaseError) as told, Database(url).transaction():
        pass
    words = f"{told.value} {told.value.mend}"
    assert "u:***@" in words
    assert "cr" not in words
    assert "psycopg" not in words, "psql knows no such address"


@pytest.mark.parametrize("url", ["sqlite://", "mysql://x/y", "nonsense", "sqlite:///:memory:"])
def test_addresses_that_are_none(url):
    with pytest.raises(DatabaseError, match="is not a database"):
        Database(url)


def test_a_newer_database_is_left_alone(central, database_url):
    central.open()
    with central.database.transaction() as connection:
        connection.execute(
            sa.update(tables.meta).where(tables.meta.c.key == "version").values(value="99")
        )
    central.database.close()
    with pytest.raises(DatabaseError, match="newer"):
        Central(Database(database_url), clock).open()
