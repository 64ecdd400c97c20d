"""How long one connection may keep us waiting."""

from edge.web.patience import READ_S, REQUEST_S, Patience


def test_the_head_and_the_body_of_a_request_each_have_their_time():
    patience = Patience(0.0)
    assert not patience.over(1.0, ("IDLE", 1), 0, False)
    assert not patience.over(REQUEST_S, ("IDLE", 1), 0, False)
    assert not patience.over(REQUEST_S + 0.5, ("SEND_BODY", 1), 0, False)
    assert not patience.over(2 * REQUEST_S, ("SEND_BODY", 1), 0, False)
    assert patience.over(2 * REQUEST_S + 1.0, ("SEND_BODY", 1), 0, False)


def test_each_request_begins_anew():
    patience = Patience(0.0)
    for number in range(100):
        assert not patience.over(number * REQUEST_S, ("IDLE", number), 0, False)


def test_while_it_is_our_turn_or_between_requests_nothing_runs_out():
    patience = Patience(0.0)
    assert not patience.over(0.0, ("DONE", 1), 0, False)
    assert not patience.over(1e6, ("DONE", 1), 0, False)
    assert not patience.over(2e6, ("IDLE", 2), 0, True)
    assert not patience.over(3e6, ("IDLE", 2), 0, True)


def test_who_does_not_read_is_let_go_and_who_reads_slowly_is_not():
    patience = Patience(0.0)
    assert not patience.over(0.0, ("DONE", 1), 5000, False)
    assert not patience.over(READ_S, ("DONE", 1), 4000, False)
    assert not patience.over(READ_S + 1.0, ("DONE", 1), 0, False)
    assert not patience.over(READ_S + 2.0, ("DONE", 1), 9000, False)
    assert patience.over(2 * READ_S + 3.0, ("DONE", 1), 9000, False)
