"""Pieces in any order, from several collectors; whole pictures are proved and kept."""

from __future__ import annotations

import hashlib
import random
import threading

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.fleet import gallery as galleries
from sync.fleet.database import Database
from sync.fleet.gallery import Gallery
from sync.fleet.pictures import Held, data, find, per_station
from sync.fleet.tables import arriving, picture_files, pieces
from sync.picture import Piece, Received

STATION = "plant-a/line-3/caps"
DATA = bytes(range(256)) * 10
NOON = "2026-11-20T12:00:00.000Z"


def cut(data, size, inspection="i1", sha256=None, path="images/a.jpg"):
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    return [
        Piece(inspection, path, sha256, len(data), start, data[start : start + size])
        for start in range(0, len(data) or 1, size)
    ]


def put(gallery, found, station=STATION):
    """Take pieces one by one; what was said."""
    return [said for piece in found for said in gallery.take([(station, piece)])]


def rows(gallery, *tables):
    with gallery._database.transaction() as connection:
        return [
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            for table in tables
        ]


@pytest.fixture
def gallery(database):
    return Gallery(database, lambda: NOON)


def test_a_picture_is_there_when_its_last_piece_is(gallery):
    *most, last = cut(DATA, 700)
    assert put(gallery, most) == []
    assert find(gallery._database, "i1") == []
    [(station, said)] = gallery.take([(STATION, last)])
    assert station == STATION
    assert said == Received("i1", last.sha256, gallery._database.store)
    [held] = find(gallery._database, "i1")
    assert held == Held(STATION, "i1", last.sha256, "images/a.jpg", len(DATA))
    assert data(gallery._database, held) == DATA
    assert rows(gallery, arriving, pieces) == [0, 0]
    assert per_station(gallery._database) == {STATION: 1}
    assert (gallery.counts.received, gallery.counts.duplicates) == (1, 0)


def test_a_picture_of_no_bytes_is_one_too(gallery):
    [(_, said)] = put(gallery, cut(b"", 10))
    assert said.sha256 == hashlib.sha256(b"").hexdigest()
    assert data(gallery._database, find(gallery._database, "i1")[0]) == b""


def test_what_is_held_is_said_again_at_the_first_piece_and_kept_once(gallery):
    put(gallery, cut(DATA, 700))
    [(_, said)] = gallery.take([(STATION, cut(DATA, 500)[3])])
    assert said.inspection == "i1"
    assert gallery.counts.duplicates == 1
    # Another inspection with the same picture needs no more than one piece either.
    [(_, said)] = gallery.take([(STATION, cut(DATA, 500, "i2")[0])])
    assert said.inspection == "i2"
    assert rows(gallery, picture_files, pieces) == [1, 0]
    assert data(gallery._database, find(gallery._database, "i2")[0]) == DATA
    assert per_station(gallery._database) == {STATION: 2}


def test_a_file_that_was_damaged_in_the_database_is_not_given(gallery):
    put(gallery, cut(DATA, 700))
    with gallery._database.transaction() as connection:
        connection.execute(sa.update(picture_files).values(data=DATA[:-1] + b"x"))
    assert data(gallery._database, find(gallery._database, "i1")[0]) is None


def test_what_another_station_holds_is_nobody_elses(gallery):
    put(gallery, cut(DATA, 700))
    other = "plant-a/line-3/lids"
    assert put(gallery, cut(DATA, 700)[:1], other) == []
    assert [station for station, _ in put(gallery, cut(DATA, 700)[1:], other)] == [other]
    assert [held.station for held in find(gallery._database, "i1")] == [STATION, other]


def test_other_bytes_than_those_announced_are_thrown_away_and_counted(gallery):
    found = cut(DATA, 700, sha256="a" * 64)
    assert put(gallery, found) == []
    assert gallery.counts.wrong == 1
    assert rows(gallery, arriving, pieces, picture_files) == [0, 0, 0]


def test_a_piece_that_was_damaged_on_the_way_is_mended_by_sending_all_again(gallery):
    found = cut(DATA, 700)
    bad = Piece("i1", "images/a.jpg", found[0].sha256, len(DATA), 0, b"x" * 700)
    assert put(gallery, [bad, *found[1:]]) == []
    assert gallery.counts.wrong == 1
    assert len(put(gallery, found)) == 1


def test_two_sizes_of_one_picture_cannot_both_be_true(gallery):
    found = cut(DATA, 700)
    lie = Piece("i1", "images/a.jpg", found[0].sha256, 9000, 8000, b"x")
    assert put(gallery, [found[0], lie, *found[1:]]) == []
    assert len(put(gallery, found[:1])) == 1


def test_what_is_unfinished_is_bounded_and_the_oldest_goes(gallery, monkeypatch):
    monkeypatch.setattr(galleries, "MOST_ARRIVING", 3)
    wholes = {name: cut(name.encode() * 1000, 600, name) for name in "abcd"}
    put(gallery, cut(DATA, 700), "plant-a/line-3/lids")
    for name in "abcd":
        put(gallery, wholes[name][:1])
    assert rows(gallery, arriving, pieces) == [3, 3]
    assert gallery.counts.dropped == 1
    assert len(put(gallery, wholes["d"][1:])) == 1
    assert put(gallery, wholes["a"][1:]) == []


def test_the_bytes_of_what_is_unfinished_are_bounded(gallery, monkeypatch):
    monkeypatch.setattr(galleries, "MOST_ARRIVING_BYTES", 5000)
    for name in "abcd":
        put(gallery, cut(name.encode() * 1000, 600, name)[:1])
    assert rows(gallery, arriving) == [4]
    put(gallery, cut(b"e" * 2500, 600, "e")[:1])
    assert rows(gallery, arriving) == [3]
    assert gallery.counts.dropped == 2


def test_a_piece_that_comes_again_takes_the_place_of_the_first(gallery):
    found = cut(DATA, 700)
    put(gallery, found[:1] * 9)
    put(gallery, cut(DATA, 300)[:1])
    with gallery._database.transaction() as connection:
        row = connection.execute(sa.select(arriving.c.pieces, arriving.c.bytes)).one()
    assert tuple(row) == (1, 300)
    assert len(put(gallery, found)) == 1


def test_pieces_without_end_of_one_picture_are_thrown_away(gallery, monkeypatch):
    monkeypatch.setattr(galleries, "MOST_PIECES", 20)
    found = cut(DATA, 10)
    put(gallery, found[:20])
    assert rows(gallery, pieces) == [20]
    put(gallery, found[20:21])
    assert rows(gallery, arriving, pieces) == [0, 0]
    assert gallery.counts.wrong == 1


def test_bytes_without_end_of_one_picture_are_thrown_away(gallery):
    sha256 = hashlib.sha256(DATA).hexdigest()
    for start in range(1, 900, 7):
        piece = Piece("i1", "images/a.jpg", sha256, len(DATA), start, DATA[start : start + 1500])
        gallery.take([(STATION, piece)])
        [held] = rows(gallery, pieces)
        assert held * 1500 <= 2 * len(DATA) + 1500
    assert gallery.counts.wrong


def test_nothing_counts_that_was_not_committed(gallery, monkeypatch):
    found = cut(DATA, 700)

    def broken(size, cuts):
        raise RuntimeError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr(galleries, "joined", broken)
        with pytest.raises(RuntimeError):
            gallery.take([(STATION, piece) for piece in found])
    assert gallery.counts == galleries.Counts()
    assert rows(gallery, arriving, pieces) == [0, 0]
    assert len(gallery.take([(STATION, piece) for piece in found])) == 1


@settings(max_examples=15)
@given(st.randoms(use_true_random=False))
def test_two_collectors_put_pictures_together_from_what_each_of_them_got(tmp_path_factory, chance):
    """Pieces cut twice, in any order, each to either of the two."""
    url = f"sqlite:///{tmp_path_factory.mktemp('central')}/fleet.db"
    both = [Gallery(Database(url), lambda: NOON) for _ in range(2)]
    wanted = {f"i{number}": chance.randbytes(chance.randrange(1, 3000)) for number in range(3)}
    waiting = [
        (STATION, piece)
        for name, content in wanted.items()
        for size in (400, 700)
        for piece in cut(content, size, name)
    ]
    chance.shuffle(waiting)
    said = set()
    while waiting:
        count = chance.randrange(1, 5)
        part, waiting = waiting[:count], waiting[count:]
        said |= {word.inspection for _, word in both[chance.randrange(2)].take(part)}
    assert said == set(wanted)
    for name, content in wanted.items():
        assert data(both[0]._database, find(both[0]._database, name)[0]) == content
    for one in both:
        one._database.close()


@pytest.mark.postgres
def test_two_collectors_at_the_same_moment_on_postgresql(postgres):
    """Two threads, two connections, all pieces to both: nothing waits for ever."""
    url = postgres.create()
    chance = random.Random(3)
    wanted = {f"i{number}": chance.randbytes(2000) for number in range(12)}
    failed = []

    def collect(seed):
        database = Database(url)
        try:
            own = Gallery(database, lambda: NOON)
            found = [
                (STATION, p) for name, content in wanted.items() for p in cut(content, 300, name)
            ]
            random.Random(seed).shuffle(found)
            for start in range(0, len(found), 5):
                own.take(found[start : start + 5])
        except Exception as error:
            failed.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=collect, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    gallery = Gallery(Database(url), lambda: NOON)
    for name, content in wanted.items():
        [held] = find(gallery._database, name)
        assert data(gallery._database, held) == content
    assert per_station(gallery._database) == {STATION: 12}
    # Pieces that came behind their picture's end were not kept.
    assert rows(gallery, arriving, pieces) == [0, 0]
    gallery._database.close()
