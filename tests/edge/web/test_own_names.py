"""What a person types into a browser."""

import socket

import pytest

from edge.web.own_names import reached_at


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "[::]"])
def test_where_every_address_is_listened_on_the_name_of_the_machine_is_said(everywhere):
    assert reached_at(f"{everywhere}:8443", True) == f"https://{socket.gethostname()}:8443"


def test_an_address_is_said_as_it_is():
    assert reached_at("127.0.0.1:8080", False) == "http://127.0.0.1:8080"
    assert reached_at("[fe80::1]:8443", True) == "https://[fe80::1]:8443"
