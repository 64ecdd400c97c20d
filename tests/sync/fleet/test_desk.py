"""Pieces between the broker and the database, whatever comes."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.fleet.database import Away, Database
from sync.fleet.desk import COMMIT_PIECES, Desk
from sync.fleet.gallery import Gallery
from sync.fleet.pictures import data, find
from sync.picture import PictureError, Piece, encode_piece
from sync.topics import Station
from sync.transport import Message

STATION = "plant-a/line-3/caps"
TOPIC = Station.parse(STATION).pictures
NOON = "2026-11-20T12:00:00.000Z"


def small(inspection):
    content = inspection.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    return Piece(inspection, "images/a.jpg", sha256, len(content), 0, content)


@pytest.fixture
def gallery(database):
    return Gallery(database, lambda: NOON)


SHORT = b"0123456789"
LIES = st.builds(
    lambda name, sha256, size, offset, content: Piece(
        name, "images/a.jpg", sha256, max(size, offset + len(content)), offset, content
    ),
    st.sampled_from(["i1", "i2"]),
    st.sampled_from([hashlib.sha256(SHORT).hexdigest(), "a" * 64]),
    st.integers(0, 12),
    st.integers(0, 10),
    st.sampled_from([SHORT[:5], SHORT[5:], SHORT, b"x"]),
)
NONSENSE = st.lists(st.binary(max_size=60), min_size=16, max_size=16)
PAYLOADS = st.tuples(st.lists(LIES.map(encode_piece), min_size=4, max_size=4), NONSENSE).flatmap(
    lambda both: st.permutations([*both[0], *both[1]])
)


@pytest.mark.slow
@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PAYLOADS)
def test_ten_thousand_payloads_end_nothing_and_only_proved_pictures_are_held(shared, payloads):
    desk, gallery, said = shared
    for number, payload in enumerate(payloads, 1):
        with suppress(PictureError):
            assert desk.take(Message(TOPIC, payload, False, number))
    while desk.waiting:
        assert desk.commit()
    for name in ("i1", "i2"):
        for held in find(gallery._database, name):
            assert data(gallery._database, held) == SHORT
    assert {received.sha256 for received in said} <= {hashlib.sha256(SHORT).hexdigest()}
    assert desk.refused == 0


@pytest.fixture
def shared(tmp_path):
    """A desk whose words are kept, on a database that stays the same for all examples."""
    database = Database(f"sqlite:///{tmp_path}/fleet.db")
    gallery, said = Gallery(database, lambda: NOON), []
    speaker = SimpleNamespace(received=lambda station, received: said.append(received))
    yield Desk(gallery, speaker), gallery, said
    database.close()


def test_what_is_no_piece_is_left_to_others(gallery):
    desk = Desk(gallery, SimpleNamespace())
    assert not desk.take(Message("ei/v1/plant-a/line-3/caps/results/line", b"", False))
    assert not desk.take(Message("elsewhere", b"", False))
    assert not Desk(None, SimpleNamespace()).take(Message(TOPIC, b"", False))


def test_a_piece_that_the_database_refuses_holds_up_no_other(gallery, monkeypatch):
    """One after the other, and what is refused is counted."""
    said = []
    desk = Desk(gallery, SimpleNamespace(received=lambda station, one: said.append(one.inspection)))
    bad, good = small("bad"), small("good")
    take = gallery.take

    def refusing(arrived):
        if any(piece.inspection == "bad" for _, piece in arrived):
            raise ValueError("no")
        return take(arrived)

    monkeypatch.setattr(gallery, "take", refusing)
    for number, piece in enumerate((bad, good), 1):
        desk.take(Message(TOPIC, encode_piece(piece), False, number))
    assert desk.commit() == [1, 2]
    assert (said, desk.refused) == (["good"], 1)


def test_pieces_stay_when_the_database_is_away(gallery, monkeypatch):
    desk = Desk(gallery, SimpleNamespace(received=lambda station, one: None))
    piece = small("good")
    desk.take(Message(TOPIC, encode_piece(piece), False, 7))

    def away(arrived):
        raise Away("the server is gone", "start it")

    with monkeypatch.context() as patch:
        patch.setattr(gallery, "take", away)
        with pytest.raises(Away):
            desk.commit()
    assert desk.commit() == [7]


def test_more_pieces_than_one_commit_takes_are_all_committed(gallery):
    said = []
    desk = Desk(gallery, SimpleNamespace(received=lambda station, one: said.append(one.inspection)))
    names = [f"i{number}" for number in range(COMMIT_PIECES + 5)]
    for number, name in enumerate(names, 1):
        desk.take(Message(TOPIC, encode_piece(small(name)), False, number))
    assert len(desk.commit()) == COMMIT_PIECES
    assert len(desk.commit()) == 5
    assert not desk.waiting
    assert sorted(said) == sorted(names)
