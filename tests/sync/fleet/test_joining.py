import itertools

from hypothesis import given
from hypothesis import strategies as st

from sync import chain
from sync.fleet.joining import Clash, Joining, Span


def hash_of(seq):
    return chain.GENESIS if seq == 0 else f"{seq:064x}"


def span(first, last, salt=""):
    return Span(first, last, hash_of(first - 1), salt + hash_of(last)[len(salt) :])


def test_pieces_in_order_move_the_beginning():
    joining = Joining()
    assert joining.add(span(1, 5)).taken
    assert joining.add(span(6, 6)).taken
    assert (joining.through, joining.hash, joining.ahead) == (6, hash_of(6), [])


def test_a_piece_behind_a_hole_waits_until_it_is_filled():
    joining = Joining()
    joining.add(span(4, 5))
    joining.add(span(9, 9))
    assert (joining.through, joining.ahead) == (0, [span(4, 5), span(9, 9)])
    joining.add(span(1, 3))
    assert (joining.through, joining.ahead) == (5, [span(9, 9)])


def test_spans_that_touch_grow_together():
    joining = Joining()
    joining.add(span(8, 9))
    joining.add(span(3, 4))
    joining.add(span(5, 7))
    assert joining.ahead == [span(3, 9)]


def test_a_piece_that_does_not_follow_the_beginning_is_not_taken():
    joining = Joining(5, hash_of(5))
    wrong = Span(6, 7, "f" * 64, hash_of(7))
    added = joining.add(wrong)
    assert not added.taken
    assert added.clashes == [Clash(joining.beginning, wrong)]
    assert joining.through == 5
    assert joining.ahead == []


def test_a_span_ahead_that_turns_out_wrong_makes_room():
    joining = Joining()
    wrong = Span(4, 9, "f" * 64, "e" * 64)
    joining.add(wrong)
    added = joining.add(span(1, 3))
    assert added.taken
    assert added.dropped == [wrong]
    assert added.clashes == [Clash(Span(1, 3, chain.GENESIS, hash_of(3)), wrong)]
    assert joining.add(span(4, 9)).clashes == []
    assert joining.through == 9


def test_two_spans_ahead_that_do_not_fit_are_kept_and_named():
    joining = Joining()
    joining.add(span(3, 4))
    wrong = Span(5, 6, "f" * 64, "e" * 64)
    assert joining.add(wrong).clashes == [Clash(span(3, 4), wrong)]
    assert joining.ahead == [span(3, 4), wrong]


def test_a_gap_whose_ends_nobody_knows_is_bridged_by_what_follows():
    joining = Joining(3, hash_of(3))
    joining.add(Span(4, 8, None, None))
    assert joining.through == 3
    joining.add(span(9, 10))
    assert (joining.through, joining.hash) == (10, hash_of(10))


def test_what_is_held_and_shared():
    joining = Joining(5, hash_of(5), (span(8, 9),))
    assert joining.overlapped(6, 7) == []
    assert joining.overlapped(5, 6) == [joining.beginning]
    assert joining.overlapped(9, 20) == [span(8, 9)]
    assert joining.overlapped(1, 20) == [joining.beginning, span(8, 9)]


pieces = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 12)).map(lambda p: (p[0], min(40, p[0] + p[1]))),
    max_size=30,
)


@given(pieces)
def test_any_order_and_overlap_holds_exactly_what_came(found):
    joining, held = Joining(), set()
    for first, last in found:
        added = joining.add(span(first, last))
        assert added.taken
        assert not added.clashes
        held |= set(range(first, last + 1))
        spans = [(1, joining.through), *((one.first, one.last) for one in joining.ahead)]
        assert {seq for first, last in spans for seq in range(first, last + 1)} == held
        assert all(low[1] + 1 < high[0] for low, high in itertools.pairwise(spans))
        assert joining.hash == hash_of(joining.through)
        assert all(one == span(one.first, one.last) for one in joining.ahead)
