from __future__ import annotations

import os
import socket
import uuid

import pytest

from edge.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A service manager's socket, and what to write into NOTIFY_SOCKET."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@ei-{uuid.uuid4().hex}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(name.replace("@", "\0"))
        channel.settimeout(10)
        yield channel, name


def test_every_message_arrives(manager):
    channel, name = manager
    notifier = Notifier({"NOTIFY_SOCKET": name})
    notifier.ready()
    notifier.watchdog()
    notifier.status("two lines\nof text")
    notifier.stopping()
    assert [channel.recv(500) for _ in range(4)] == [
        b"READY=1",
        b"WATCHDOG=1",
        b"STATUS=two lines of text",
        b"STOPPING=1",
    ]


@pytest.mark.parametrize("name", ["", "/nobody/listens", "@nobody-listens", "relative"])
def test_without_a_manager_it_is_silent(name):
    Notifier({"NOTIFY_SOCKET": name}).ready()
    Notifier({}).ready()


def test_a_full_socket_does_not_stop_the_service(manager):
    _, name = manager
    notifier = Notifier({"NOTIFY_SOCKET": name})
    for _ in range(5000):
        notifier.watchdog()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500", "WATCHDOG_PID": str(os.getpid())}, 0.0005),
        ({"WATCHDOG_USEC": "500", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "5", "WATCHDOG_PID": "me"}, None),
    ],
)
def test_the_interval_of_the_watchdog(environment, expected):
    assert Notifier(environment).watchdog_s == expected


def test_a_text_that_is_none_ends_nothing(manager):
    channel, name = manager
    Notifier({"NOTIFY_SOCKET": name}).status("strange: \ud800")
    assert channel.recv(500) == b"STATUS=strange: ?"
