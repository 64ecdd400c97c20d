from hypothesis import given
from hypothesis import strategies as st

from sync.fleet.receipts import Receipts


@given(st.permutations(range(1, 9)))
def test_all_are_released_once_and_in_order(order):
    sent, done = [], set()
    receipts = Receipts(sent.append)
    for token in range(1, 9):
        receipts.came(token)
    for token in order:
        receipts.release(token)
        done.add(token)
        ready = next((one for one in range(1, 9) if one not in done), 9)
        assert sent == list(range(1, ready))


def test_tokens_of_a_connection_that_is_gone_release_nothing():
    sent = []
    receipts = Receipts(sent.append)
    receipts.came(1)
    receipts.came(2)
    receipts.forget()
    receipts.release(2)
    receipts.came(3)
    receipts.release(1)
    receipts.release(3)
    assert sent == [3]


def test_messages_that_nobody_waits_for_hold_nothing_back():
    sent = []
    receipts = Receipts(sent.append)
    for token in (1, 0, 0, 2):
        receipts.came(token)
    for token in (0, 0, 1, 2):
        receipts.release(token)
    assert sent == [1, 2]
