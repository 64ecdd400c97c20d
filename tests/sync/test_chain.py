from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import chain


@given(st.lists(st.binary(max_size=50), max_size=8))
def test_the_last_link_is_all_links_in_a_row(records):
    last = chain.GENESIS
    for record in records:
        last = chain.link(last, record)
    assert chain.last_link(chain.GENESIS, records) == last


def test_the_formula():
    expected = hashlib.sha256(bytes(32) + b"{}").hexdigest()
    assert chain.link(chain.GENESIS, b"{}") == expected
    assert chain.body({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()
    with pytest.raises(ValueError, match="JSON"):
        chain.body({"score": float("nan")})
