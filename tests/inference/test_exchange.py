from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import exchange
from inference.exchange import FAILED, HELLO, OK, Replies, Reply
from inference.interpreter import TensorDetail

IMAGE = TensorDetail("image", (1, 8, 8, 3), "int8", 0.5, -3)
SCORES = TensorDetail("scores", (1, 2), "float32", 0.0, 0)


def test_a_hello_comes_back_from_its_bytes():
    said = exchange.hello_for([IMAGE], [SCORES])
    (reply,) = Replies().feed(exchange.hello(said))
    assert reply.status == HELLO
    assert exchange.read_hello(reply.text) == said


def test_tensors_do_not_overlap_in_the_shared_memory():
    said = exchange.hello_for([IMAGE], [SCORES])
    assert said.output_at >= IMAGE.nbytes == 192
    assert said.output_at % 64 == 0
    assert said.size >= said.output_at + SCORES.nbytes


@given(st.lists(st.integers(1, 7)), st.integers(0, 2**62))
def test_replies_are_cut_wherever_the_pipe_cuts_them(cuts, number):
    stream = (
        exchange.hello(exchange.hello_for([IMAGE], [SCORES]))
        + exchange.answered(number, 5)
        + exchange.failed(number, "é no")
    )
    parser, found = Replies(), []
    for size in cuts:
        found += parser.feed(stream[:size])
        stream = stream[size:]
    found += parser.feed(stream)
    assert [reply.status for reply in found] == [HELLO, OK, FAILED]
    assert found[1:] == [Reply(number, OK, 5), Reply(number, FAILED, 5, "é no")]


@given(st.binary(min_size=24, max_size=100))
def test_what_is_no_reply_is_refused_or_waited_for(data):
    try:
        Replies().feed(data)
    except ValueError as error:
        assert "a reply with status" in str(error)  # noqa: PT017


def test_a_failure_is_kept_short():
    (reply,) = Replies().feed(exchange.failed(1, "x" * 10_000))
    assert len(reply.text) == exchange.LONGEST_TEXT


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"inputs": [{}]}', "null"])
def test_what_is_no_hello_is_refused(text):
    with pytest.raises(ValueError):
        exchange.read_hello(text)


def test_a_request_is_its_number():
    assert exchange.read_request(exchange.request(2**40)) == 2**40
    with pytest.raises(ValueError):
        exchange.read_request(b"torn")
