from __future__ import annotations

import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.broker import Address, BrokerError, refusal, why_not

HERE = Address("broker.plant", 1883, False)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://127.0.0.1", Address("127.0.0.1", 1883, False)),
        ("mqtt://broker.plant:1884/", Address("broker.plant", 1884, False)),
        ("mqtts://broker.plant", Address("broker.plant", 8883, True)),
        ("mqtt://[::1]:9", Address("::1", 9, False)),
    ],
)
def test_addresses(url, expected):
    assert Address.parse(url) == expected
    assert Address.parse(str(expected)) == expected


@pytest.mark.parametrize(
    "url", ["", "http://a", "mqtt://", "mqtt://a:0", "mqtt://a:65536", "mqtt://u:p@a", "mqtt://a/b"]
)
def test_no_addresses(url):
    with pytest.raises(BrokerError, match=r"mqtt://|port"):
        Address.parse(url)


@given(st.text())
def test_arbitrary_text_is_an_address_or_an_error(text):
    try:
        assert 0 < Address.parse(text).port < 65_536
    except BrokerError:
        return


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (ConnectionRefusedError(111, "refused"), "nobody listens"),
        (socket.gaierror(-2, "Name or service not known"), "is not known"),
        (TimeoutError("timed out"), "does not answer"),
        (ssl.SSLCertVerificationError("expired"), "not trusted"),
        (ssl.SSLError("wrong version"), "does not speak TLS"),
        (FileNotFoundError(2, "missing", "/etc/secret"), "/etc/secret"),
        (OSError(113, "No route to host"), "cannot be reached"),
        (RuntimeError("odd"), "odd"),
    ],
)
def test_every_error_has_words_and_a_mend(error, word):
    found = why_not(error, HERE)
    assert word in found.what
    assert found.mend


@given(st.integers(0, 255))
def test_every_reason_code_has_words(code):
    found = refusal(code, "Name", HERE)
    assert f"0x{code:02x}" in found.what
    assert found.mend
