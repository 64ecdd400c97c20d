import socket

import pytest

from edge.config_file import load
from edge.demo.station import PORT, free_port, prepare


def test_the_page_listens_on_this_machine_only_where_it_is_said(tmp_path):
    station = prepare(tmp_path / "demo", 2.0, with_broker=False, web_port=free_port())
    assert load(station.config_file).web.listen == f"127.0.0.1:{station.web_port}"
    assert station.address == f"http://127.0.0.1:{station.web_port}"


def test_a_port_that_was_asked_for_and_is_in_use_is_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(OSError):
            prepare(tmp_path / "demo", 2.0, False, web_port=other.getsockname()[1])


def test_where_nobody_asked_for_a_port_another_one_will_do(tmp_path):
    try:
        other = socket.create_server(("127.0.0.1", PORT))
    except OSError:
        other = None  # somebody else is there: all the better
    try:
        assert prepare(tmp_path / "demo", 2.0, False).web_port != PORT
    finally:
        if other is not None:
            other.close()
