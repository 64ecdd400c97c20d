"""The plan keeps what it must, finds enough or says that it cannot, and prefers the cheapest."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from edge.retention.plan import (
    BEGIN,
    FREE,
    NEVER,
    OPEN,
    UPLOAD,
    Picture,
    Records,
    Room,
    Terms,
    plan,
)

MB = 1_000_000
PLENTY = Room(used=10 * MB, limit=100 * MB, free=1000 * MB, reserve=10 * MB)
NOTHING_TO_DELETE = Records(1, 0, 1500.0, 0, MB)

pictures = st.lists(
    st.builds(
        Picture,
        st.integers(-20, 200),
        st.integers(0, 3),
        st.integers(0, 3 * MB),
        st.sampled_from([FREE, FREE, UPLOAD, OPEN]),
    ),
    unique_by=lambda one: one.seq,
    max_size=30,
)
rooms = st.builds(
    Room,
    st.integers(0, 120 * MB),
    st.integers(1, 100 * MB),
    st.integers(0, 100 * MB),
    st.integers(0, 20 * MB),
    st.booleans(),
)
seqs = st.one_of(st.just(NEVER), st.integers(-20, 250))
terms = st.builds(Terms, seqs, seqs)
stored = st.builds(
    Records,
    st.integers(1, 100),
    st.integers(0, 250),
    st.floats(300, 5000),
    st.integers(0, 10 * MB),
    st.integers(0, 10 * MB),
    st.integers(0, 10 * MB),
)


@given(pictures, rooms, stored, terms, st.booleans())
def test_what_is_held_goes_only_when_a_write_would_be_refused(some, room, records, term, all_):
    made = plan(some, room, records, term, all_)
    held = {one.seq for one in some if one.held}
    assert set(made.forced) == held & set(made.leave)
    assert not {one.seq for one in some if one.held == OPEN} & set(made.leave)
    if made.forced:
        assert room.beyond > sum(one.bytes for one in some if not one.held)
        assert all_
        assert {one.seq for one in some if not one.held} <= set(made.leave)


@given(pictures, rooms, stored, terms, st.booleans())
def test_enough_is_found_or_it_is_said_how_much_is_missing(some, room, records, term, all_):
    made = plan(some, room, records, term, all_)
    found = sum(one.bytes for one in some if one.seq in made.leave)
    assert len(set(made.leave)) == len(made.leave)
    assert made.missing == max(room.short - found, 0)
    if made.missing and all_:
        left = [one for one in some if one.seq not in made.leave]
        assert all(one.held for one in left)
        assert not (room.beyond > found and any(one.held == UPLOAD for one in left))


@given(pictures, rooms, stored, terms, st.booleans())
def test_a_record_goes_only_when_it_may(some, room, records, term, all_):
    made = plan(some, room, records, term, all_)
    through = made.prune_through
    assert through == 0 or records.first <= through <= records.deletable
    if through and through > term.records_through:
        assert all_
        tight = records.free + records.growth < records.wanted
        unheld = [one for one in some if not one.held]
        none_left = {one.seq for one in unheld} <= set(made.leave)
        short = room.short > sum(one.bytes for one in unheld)
        assert short or (tight and (room.refused or none_left))


@given(pictures, rooms, stored, terms)
def test_nothing_worth_less_is_kept_instead(some, room, records, term):
    made = plan(some, room, records, term)
    over = max(term.pictures_through, min(term.records_through, records.deletable))
    chosen = [one for one in some if one.seq in made.leave and not one.held and one.seq > over]
    kept = [one for one in some if one.seq not in made.leave and not one.held]
    for one in chosen:
        assert all((one.worth, one.seq) < (other.worth, other.seq) for other in kept)


@given(pictures, rooms, stored, terms)
def test_no_more_goes_than_is_needed(some, room, records, term):
    made = plan(some, room, records, term)
    over = max(term.pictures_through, min(term.records_through, records.deletable))
    by_seq = {one.seq: one for one in some}
    aged = sum(one.bytes for one in some if one.seq <= over and not one.held)
    chosen = [by_seq[seq] for seq in made.leave if seq > over or by_seq[seq].held]
    if chosen:
        short = room.beyond if chosen[-1].held else room.short
        assert aged + sum(one.bytes for one in chosen[:-1]) < short


def _some() -> list[Picture]:
    return [
        Picture(1, 2, MB),
        Picture(2, 1, MB),
        Picture(3, 0, MB),
        Picture(4, 0, MB),
        Picture(5, 1, MB, UPLOAD),
        Picture(6, 2, MB, OPEN),
    ]


def test_with_room_and_in_time_nothing_happens() -> None:
    made = plan(_some(), PLENTY, Records(1, 100, 1500.0, 0, MB), Terms())
    assert (made.leave, made.prune_through, made.missing) == ((), 0, 0)


def test_accepted_parts_go_first_then_rejected_then_answered() -> None:
    limit = 100 * MB
    more = limit // 100  # so that it is not for ever
    for short, leave in ((MB, (3,)), (2 * MB, (3, 4)), (3 * MB, (3, 4, 2)), (4 * MB, (3, 4, 2, 1))):
        some = [replace(one, bytes=2 * MB) for one in _some()]
        room = replace(PLENTY, used=int(limit * BEGIN) + 2 * short - more)
        assert plan(some, room, NOTHING_TO_DELETE, Terms()).leave == leave


def test_the_last_choice_is_what_waits_for_upload_and_never_what_waits_for_a_person() -> None:
    soft = replace(PLENTY, used=99 * MB)
    assert plan(_some(), soft, NOTHING_TO_DELETE, Terms()).forced == ()
    for used, forced in ((104, ()), (105, (5,)), (106, (5,)), (150, (5,))):
        beyond = replace(PLENTY, used=used * MB)
        assert plan(_some(), beyond, NOTHING_TO_DELETE, Terms()).forced == forced


def test_a_disk_that_others_fill_costs_pictures_and_no_more_records_than_help() -> None:
    room = replace(PLENTY, free=0)
    records = Records(first=11, deletable=1000, size=1000.0, free=0, wanted=100_000)
    assert plan([], room, records, Terms()).prune_through == 110
    assert plan([], room, replace(records, free=100_000), Terms()).prune_through == 0


def test_a_database_that_may_not_grow_gives_up_records_when_pictures_do_not_help() -> None:
    records = Records(11, 1000, 1000.0, free=0, wanted=100_000, growth=40_000)
    assert plan([], PLENTY, records, Terms()).prune_through == 70
    assert plan(_some(), PLENTY, records, Terms()).prune_through == 0
    refused = replace(PLENTY, refused=True)
    assert plan(_some(), refused, records, Terms()).prune_through == 70


def test_old_records_take_their_pictures_with_them() -> None:
    records = Records(first=1, deletable=4, size=1000.0, free=0, wanted=0)
    made = plan(_some(), PLENTY, records, Terms(records_through=5))
    assert (made.leave, made.prune_through) == ((1, 2, 3, 4), 4)


def test_old_pictures_go_whatever_they_are_worth_and_records_stay() -> None:
    made = plan(_some(), PLENTY, Records(1, 100, 1000.0, 0, 0), Terms(pictures_through=5))
    assert (made.leave, made.prune_through) == ((1, 2, 3, 4), 0)
