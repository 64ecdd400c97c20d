"""Requests: applied once, answered, and nonsense of every kind without an effect."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.requests import KEEP_ANSWERS_S, LARGEST, Answer, Desk, Refused, Request, answers, ask, put

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER = "01890a5d-ac96-774b-bcce-b302099a8058"


class Handler:
    """Remembers what it was asked and answers with how often."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        return {"times": len(self.asked)}


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def desk(tmp_path: Path, handler: Handler) -> Desk:
    return Desk(tmp_path / "requests" / "line", {"set": handler})


def good(**changed: object) -> str:
    return json.dumps({"kind": "set", "arguments": {}, "by": "anna", "account": "root", **changed})


def answer_of(desk: Desk, request_id: str = ID) -> object:
    return json.loads((desk.folder / f"{request_id}.answer").read_bytes())


def test_a_request_reaches_its_handler_whole_and_is_answered(desk: Desk, handler: Handler) -> None:
    request = Request(ID, "set", {"degree": "shadow", "n": [1, None]}, "anna", "root")
    put(desk.folder, request)
    looking = answers(desk.folder, ID)
    assert next(looking) is None
    assert desk.step(0.0) == 1
    assert handler.asked == [request]
    assert next(looking) == {"ok": True, "times": 1}
    assert list(desk.folder.iterdir()) == []


def test_a_request_is_applied_once(desk: Desk, handler: Handler) -> None:
    put(desk.folder, Request(ID, "set", {}))
    assert [desk.step(0.0) for _ in range(3)] == [1, 0, 0]
    assert len(handler.asked) == 1


def test_the_oldest_is_served_first(desk: Desk, handler: Handler) -> None:
    for age, name in ((5.0, OTHER), (9.0, ID)):
        put(desk.folder, Request(name, "set", {}))
        os.utime(desk.folder / f"{name}.json", (100 - age, 100 - age))
    assert desk.step(0.0) == 2
    assert [request.id for request in handler.asked] == [ID, OTHER]


def test_refused_and_unknown_requests_are_answered_with_words(tmp_path: Path) -> None:
    def refuse(request: Request) -> Answer:
        raise Refused("not today")

    desk = Desk(tmp_path, {"set": refuse})
    put(tmp_path, Request(ID, "set", {}))
    put(tmp_path, Request(OTHER, "dance", {}))
    assert desk.step(0.0) == 2
    assert answer_of(desk) == {"ok": False, "message": "not today"}
    unknown = answer_of(desk, OTHER)
    assert isinstance(unknown, dict)
    assert not unknown["ok"]
    assert "'dance'" in unknown["message"]
    assert desk.nonsense == 0


def test_a_handler_that_fails_is_answered_and_the_service_goes_on(tmp_path: Path) -> None:
    def fail(request: Request) -> Answer:
        raise ZeroDivisionError("oh")

    desk = Desk(tmp_path, {"set": fail})
    put(tmp_path, Request(ID, "set", {}))
    assert desk.step(0.0) == 1
    failed = answer_of(desk)
    assert isinstance(failed, dict)
    assert not failed["ok"]
    assert "oh" in failed["message"]
    assert not list(tmp_path.glob("*.json"))


def test_an_answer_that_cannot_be_written_is_given_later_without_applying_again(
    desk: Desk, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    put(desk.folder, Request(ID, "set", {}))
    with monkeypatch.context() as patched:
        patched.setattr("edge.requests.write_atomically", full)
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                desk.step(0.0)
    assert desk.step(0.0) == 1
    assert len(handler.asked) == 1
    assert answer_of(desk) == {"ok": True, "times": 1}


NONSENSE = {
    "not json": b"{",
    "empty": b"",
    "binary": bytes(range(256)),
    "a list": b"[1]",
    "a number": b"7",
    "null": b"null",
    "no kind": b'{"arguments": {}}',
    "no arguments": b'{"kind": "set"}',
    "arguments are a list": good(arguments=[]).encode(),
    "kind is a number": good(kind=5).encode(),
    "by is a list": good(by=["anna"]).encode(),
    "account is a number": good(account=0).encode(),
    "no UTF-8": b'{"kind": "set", "arguments": {"reason": "\xff"}}',
    "half a surrogate": b'{"kind": "set", "arguments": {"reason": "\\ud800"}}',
    "no number": b'{"kind": "set", "arguments": {"reason": NaN}}',
    "too deep": b"[" * 50_000,
    "too large": good(by="x" * LARGEST).encode(),
}


@pytest.mark.parametrize("content", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_counted_once_and_has_no_effect(
    desk: Desk, handler: Handler, content: bytes
) -> None:
    (desk.folder / f"{ID}.json").write_bytes(content)
    assert [desk.step(0.0) for _ in range(3)] == [0, 0, 0]
    assert desk.nonsense == 1
    assert handler.asked == []
    assert list(desk.folder.iterdir()) == []


@pytest.mark.parametrize("name", ["x.json", f"{ID}x.json", ".json", f"{ID.upper()}.json", "ä.json"])
def test_a_good_request_under_a_wrong_name_is_nonsense(
    desk: Desk, handler: Handler, name: str
) -> None:
    (desk.folder / name).write_text(good())
    assert desk.step(0.0) == 0
    assert (desk.nonsense, handler.asked) == (1, [])


def _folder(path: Path) -> None:
    (path / "something").mkdir(parents=True)


def _socket(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:
        # the path of a socket may have 107 bytes only
        made.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


THINGS = {
    "a folder": _folder,
    "a pipe": os.mkfifo,
    "a socket": _socket,
    "a link to an endless file": lambda path: path.symlink_to("/dev/zero"),
    "a link to a request": lambda path: path.symlink_to(path.with_name("there")),
    "a link to nowhere": lambda path: path.symlink_to("/nowhere"),
}


@pytest.mark.parametrize("make", THINGS.values(), ids=THINGS)
def test_what_is_no_file_neither_hangs_nor_hides_what_comes_after(
    desk: Desk, handler: Handler, make: Callable[[Path], None]
) -> None:
    (desk.folder / "there").write_text(good())
    make(desk.folder / f"{OTHER}.json")
    os.utime(desk.folder / f"{OTHER}.json", (1, 1), follow_symlinks=False)
    put(desk.folder, Request(ID, "set", {}))
    assert [desk.step(0.0) for _ in range(3)] == [1, 0, 0]
    assert desk.nonsense == 1
    assert [request.id for request in handler.asked] == [ID]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100) | st.text().map(lambda text: json.dumps(text).encode()))
def test_no_bytes_reach_a_handler(desk: Desk, handler: Handler, content: bytes) -> None:
    (desk.folder / f"{ID}.json").write_bytes(content)
    before = desk.nonsense
    assert desk.step(0.0) == 0
    assert desk.nonsense == before + 1
    assert handler.asked == []


def test_answers_that_nobody_fetched_are_forgotten(desk: Desk) -> None:
    put(desk.folder, Request(ID, "set", {}))
    (desk.folder / "folder.answer").mkdir()
    desk.step(0.0)
    assert (desk.folder / f"{ID}.answer").exists()
    desk.step(KEEP_ANSWERS_S + 60)
    assert not (desk.folder / f"{ID}.answer").exists()


def test_an_answer_is_as_old_as_it_has_been_seen_whatever_its_file_says(desk: Desk) -> None:
    path = desk.folder / f"{ID}.answer"
    path.write_text("{}")
    for year in (0, 4e9):  # the clock has been set, far
        os.utime(path, (year, year))
        desk.step(0.0)
        desk.step(KEEP_ANSWERS_S - 1)
        assert path.exists()


def test_asking_a_service_that_never_ran_here_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ask(tmp_path / "none", Request(ID, "set", {}))


def test_asking_without_an_answer_leaves_the_request_waiting(desk: Desk, handler: Handler) -> None:
    assert ask(desk.folder, Request(ID, "set", {}), within_s=0.0) is None
    assert desk.step(0.0) == 1
    assert ask(desk.folder, Request(ID, "set", {}), within_s=0.0) == {"ok": True, "times": 1}
