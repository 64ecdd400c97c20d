"""Which pictures are next, from real databases and real files."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from edge import gallery
from edge.gallery import Scan, StationGallery
from edge.records import Moment
from edge.review.verdict import Verdict
from edge.review.verdicts import give
from edge.store.images import ImageStore, parse_policy
from edge.store.journal import Journal
from sync.gallery import Missing, Place
from sync.journal import JournalError
from tests.edge.review.test_verdicts import correction, verdict
from tests.edge.store.builders import NOON, ORIGIN, alarm, due, inspection

RANDOM = parse_policy("escalated+random:1")
PLAIN = parse_policy("escalated")


class State:
    """A state directory that the test fills."""

    def __init__(self, folder):
        self.folder = folder
        self.images = ImageStore(folder)
        self.records = []
        self.answers = 0
        self.open()

    def open(self):
        self.journal = Journal.open(self.folder / "line.db", "boot-1", 0)

    def begin_anew(self):
        self.journal.close()
        for path in self.folder.glob("line.db*"):
            path.unlink()
        self.open()

    def add(self, decision="escalate", picture=True, asked=True, **more):
        number = len(self.records)
        record = replace(inspection(number, decision, asked and decision == "escalate"), **more)
        if picture:
            data = f"picture {number}".encode()
            record = replace(record, image=self.images.keep(record.id, NOON + number, data))
        deadlines = due(record) if record.asked and decision == "escalate" else {}
        self.journal.append([record], deadlines=deadlines)
        self.records.append(record)
        return record.id

    def answer(self, name):
        self.answers += 1
        give(
            self.folder,
            Verdict(
                id=f"verdict-{self.answers}",
                origin=ORIGIN,
                given=Moment(NOON, self.answers),
                inspection=name,
                verdict="accept",
                by="anna",
            ),
        )

    def gallery(self, escalated=True, policy=RANDOM, places=None):
        return StationGallery(self.folder, escalated, policy, places)

    def close(self):
        self.journal.close()


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path / "state")
    yield state
    state.close()


def found(gallery, most=1000):
    """The inspections of all that is next, done one after the other."""
    names = []
    while True:
        while gallery.look():
            pass
        wanted = gallery.next
        if wanted is None or len(names) == most:
            return names
        names.append(wanted.inspection)
        gallery.done()


def test_escalated_ones_come_in_the_order_of_their_records(state):
    first = state.add()
    state.add("accept")
    drawn = state.add("reject", asked=False, spot_check={"p": 0.1, "drawn": True})
    asked = replace(inspection(9, "accept"), asked=True, image=state.images.keep("x", NOON, b"x"))
    state.journal.append([alarm(1), asked])
    state.add(picture=False)
    last = state.add()
    gallery = state.gallery()
    assert found(gallery) == [first, asked.id, last]
    assert drawn not in found(state.gallery())
    assert gallery.waiting == 0
    gallery.close()


def test_the_picture_is_the_one_of_the_record(state):
    state.add()
    gallery = state.gallery()
    gallery.look()
    wanted = gallery.next
    assert wanted.path == state.records[0].image.path
    assert wanted.sha256 == hashlib.sha256(b"picture 0").hexdigest()
    file = gallery.open(wanted)
    assert file.read(0, 100) == b"picture 0"
    file.close()
    (state.folder / wanted.path).write_bytes(b"picture 1")
    with pytest.raises(Missing):
        gallery.open(wanted)
    gallery.close()


def test_the_next_one_stays_until_it_is_done(state):
    names = [state.add() for _ in range(3)]
    gallery = state.gallery()
    gallery.look()
    assert [gallery.next.inspection for _ in range(3)] == [names[0]] * 3
    assert gallery.places["line"].seq == 0
    assert gallery.waiting == 3
    gallery.done()
    assert gallery.next.inspection == names[1]
    assert gallery.places["line"].seq == 1
    gallery.close()


def test_it_goes_on_where_an_earlier_one_was(state):
    names = [state.add() for _ in range(6)]
    places = {}
    for count in range(6):
        gallery = state.gallery(places=places)
        assert found(gallery, 1) == names[count : count + 1]
        places = dict(gallery.places)
        gallery.close()
    assert found(state.gallery(places=places)) == []
    state.add("accept")
    last = state.add()
    assert found(state.gallery(places=places)) == [last]


@pytest.mark.parametrize("place", [Place("another-epoch", 3), "ahead", None])
def test_a_place_that_is_not_in_this_database_means_its_beginning(state, place):
    names = [state.add() for _ in range(3)]
    if place == "ahead":
        place = Place(state.journal.head[0], 1000)
    assert found(state.gallery(places={} if place is None else {"line": place})) == names


def test_a_database_begun_anew_is_read_from_its_beginning(state):
    state.add()
    waiting = state.add()
    gallery = state.gallery()
    assert found(gallery, 1) == [state.records[0].id]
    assert gallery.next.inspection == waiting
    state.begin_anew()
    fresh = state.add()
    gallery.look()
    # The one that is under way is finished, and moves nothing in the new database.
    assert gallery.next.inspection == waiting
    gallery.done()
    assert gallery.next.inspection == fresh
    assert gallery.places["line"] == Place(state.journal.head[0], 0)
    gallery.close()


def test_labelled_ones_come_in_the_order_of_the_answers(state):
    names = [state.add() for _ in range(4)]
    state.add("accept")
    for number in (2, 0, 3):
        state.answer(names[number])
    gallery = state.gallery(escalated=False, policy=PLAIN)
    assert found(gallery) == [names[2], names[0], names[3]]
    assert set(gallery.places) == {"queue"}
    assert gallery.places["queue"].seq == 3
    state.answer(names[1])
    assert found(gallery) == [names[1]]
    gallery.close()


def test_a_part_that_is_labelled_by_a_correction_alone_is_sent_too(state):
    unanswered, answered, taken = (state.add() for _ in range(3))
    state.answer(answered)
    for number, (about, of, to) in enumerate(
        [(answered, "v", "accept"), (unanswered, None, "reject"), (taken, None, None)]
    ):
        made = correction(number, verdict(number, about), to=to)
        give(state.folder, replace(made, verdict=of))
    gallery = state.gallery(escalated=False, policy=PLAIN)
    assert found(gallery) == [answered, unanswered]
    gallery.close()


def test_an_answer_about_a_part_that_is_no_longer_recorded_is_missing(state):
    state.answer("deleted")
    name = state.add()
    state.answer(name)
    gallery = state.gallery(escalated=False, policy=PLAIN)
    gallery.look()
    with pytest.raises(Missing):
        gallery.open(gallery.next)
    gallery.done()
    assert gallery.next.inspection == name
    gallery.close()


def test_labelled_and_random_take_turns_and_none_comes_twice(state):
    names = [state.add("accept") for _ in range(6)]
    state.answer(names[4])
    state.answer(names[1])
    gallery = state.gallery(escalated=False)
    assert found(gallery) == [names[4], names[0], names[1], names[2], names[3], names[5]]
    assert {stream: place.seq for stream, place in gallery.places.items()} == {
        "line": 6,
        "queue": 2,
    }
    gallery.close()


def test_only_some_are_looked_up_in_advance(state, monkeypatch):
    monkeypatch.setattr(gallery, "MOST_FOUND", 3)
    monkeypatch.setattr(gallery, "PAGE", 2)
    names = [state.add() for _ in range(9)]
    ahead = state.gallery()
    while ahead.look():
        pass
    assert ahead.waiting == 4
    assert found(ahead) == names
    ahead.close()


def test_where_nothing_was_recorded_there_is_nothing(tmp_path):
    gallery = StationGallery(tmp_path, False, RANDOM)
    assert not gallery.look()
    assert gallery.next is None
    assert gallery.places == {}
    gallery.close()


def test_a_database_that_cannot_be_read_is_said(state):
    state.add()
    state.close()
    (state.folder / "line.db").write_bytes(b"x" * 8192)
    gallery = state.gallery()
    with pytest.raises(JournalError):
        gallery.look()
    gallery.close()
    state.begin_anew()


def test_a_record_that_was_damaged_stops_nobody(state):
    """The chain's own check finds it; here it only must not end the service."""
    state.add()
    name = state.add()
    last = state.add()
    broken = {
        0: b'{"schema":"inspection/1","decision":"escalate","id":7,"image":{},"tags":3}',
        1: b'{"schema":"inspection/1"' + b"\xff" * 20,
    }
    for number, body in broken.items():
        state.journal._database.execute(
            "UPDATE records SET body = ? WHERE seq = ?", (body, number + 1)
        )
    gallery = state.gallery()
    gallery.look()
    with pytest.raises(Missing):
        gallery.open(gallery.next)
    gallery.done()
    assert gallery.next.inspection == last
    gallery.close()
    state.answer(name)
    body = b'{"inspection":"\\ud800","schema":"verdict/1"}'
    queue = sqlite3.connect(state.folder / "queue.db")
    queue.execute("UPDATE records SET body = ?", (body,))
    queue.commit()
    queue.close()
    labelled = state.gallery(escalated=False)
    assert found(labelled)[-1] == last
    labelled.close()


def test_bodies_say_their_schema_and_a_missing_picture_in_these_words(state):
    """What is left unread without being parsed depends on it."""
    state.add(picture=False)
    (body,) = state.journal._database.execute("SELECT body FROM records").fetchone()
    assert b'"schema":"inspection/1"' in body
    assert b'"image":null' in body
    assert json.loads(body)["image"] is None


def test_a_row_that_cannot_be_taken_apart_ends_the_look_and_nothing_else():
    """In a damaged file a column may hold anything; the archive then raises what Python does."""

    class Damaged:
        path, epoch = Path("line.db"), "e"

        def head(self):
            return 1, ""

        def rows(self, *place):
            raise TypeError("object of type 'NoneType' has no len()")

    with pytest.raises(JournalError, match="cannot be read"):
        Scan(Damaged(), None, lambda body: None).look()
