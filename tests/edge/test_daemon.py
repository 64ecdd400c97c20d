"""The line process: as a child that is started and told to end, and with parts that fail."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from camera.frame import Frame
from edge import daemon, stopping, wiring
from edge.clock import Clock
from edge.daemon import Line
from edge.log import Log
from edge.requests import Request, ask
from edge.statusfile import StatusFile
from edge.store.verify import verify
from edge.wiring import build
from tests.appliance.station import Archive, config_of, pictures, rows, start, station

PARTS = 12
GIVE_UP_S = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pictures(tmp_path / "pictures", PARTS)


@pytest.fixture
def settings(tmp_path: Path, folder: Path) -> Path:
    """A line over a folder that ends."""
    return station(tmp_path, {"source": "folder", "path": str(folder)})


@pytest.fixture
def endless(tmp_path: Path, folder: Path) -> Path:
    """A line over the same folder again and again, 100 parts a second at most."""
    camera = {"source": "folder", "path": str(folder), "loop": True}
    return station(tmp_path, camera, trigger={"source": "interval", "every_ms": 10})


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(row.body) for row in rows(path)]


def of_kind(path: Path, kind: str) -> list[dict[str, Any]]:
    return [record for record in records(path) if record["schema"] == kind]


def sound(path: Path) -> bool:
    state_dir = config_of(path).state_dir
    with Archive.open(state_dir / "line.db") as archive:
        return verify(archive, state_dir).sound


def ended(line: subprocess.Popen[str]) -> int:
    """Read what is left to read and wait for the end."""
    line.communicate(timeout=GIVE_UP_S)
    return line.returncode


def test_a_folder_is_inspected_in_order_and_ends_the_run(settings: Path) -> None:
    with start(settings, "run") as line:
        assert ended(line) == 0
    made = of_kind(settings, "inspection/1")
    files = [record["tags"]["file"] for record in made]
    assert files == sorted(files)
    assert len(files) == PARTS
    assert {record["decision"] for record in made} == {"accept"}
    assert len(of_kind(settings, "disposition/1")) == PARTS
    assert sound(settings)


def test_so_many_parts_end_the_run(endless: Path) -> None:
    with start(endless, "run", "--parts", "5") as line:
        assert ended(line) == 0
    assert len(of_kind(endless, "inspection/1")) == 5


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_0(endless: Path, how: signal.Signals) -> None:
    with start(endless, "run", "--json") as line:
        assert line.stdout is not None
        told = [line.stdout.readline() for _ in range(20)]
        line.send_signal(how)
        told += line.stdout.readlines()
        assert line.wait(GIVE_UP_S) == 0
    assert [row.body.decode() for row in rows(endless)] == [text.rstrip("\n") for text in told]
    inspected = of_kind(endless, "inspection/1")
    assert len(of_kind(endless, "disposition/1")) == len(inspected)
    assert sound(endless)
    status = StatusFile(config_of(endless).status_folder, "line").read()
    assert status is not None
    assert (status["state"], status["inspected"]) == ("stopped", len(inspected))


def test_a_second_line_on_the_same_directory_is_refused_and_told_who_holds_it(
    endless: Path,
) -> None:
    with start(endless, "run", "--json") as line:
        assert line.stdout is not None
        line.stdout.readline()
        with start(endless, "run", stderr=subprocess.PIPE) as second:
            _, words = second.communicate(timeout=GIVE_UP_S)
        assert second.returncode == 1
        assert f"pid {line.pid}" in words
        line.send_signal(signal.SIGTERM)
        assert ended(line) == 0
    with start(endless, "run", "--parts", "1") as third:
        assert ended(third) == 0


def test_a_wrong_configuration_lists_every_error_and_ends_with_2(settings: Path) -> None:
    settings.write_text(settings.read_text() + "escalation: {fallback: accept}\nzzz: 1\n")
    with start(settings, "run", stderr=subprocess.PIPE) as line:
        _, words = line.communicate(timeout=GIVE_UP_S)
    assert line.returncode == 2
    assert "escalation.fallback" in words
    assert "zzz: no such setting" in words
    assert not (settings.parent / "state").exists()


def test_a_camera_that_is_not_there_is_an_alarm_and_no_reason_to_stop(tmp_path: Path) -> None:
    settings = station(tmp_path, {"source": "v4l2", "device": "/dev/v4l/by-id/none"})
    with start(settings, "run", "--json") as line:
        assert line.stdout is not None
        alarm = json.loads(line.stdout.readline())
        assert (alarm["schema"], alarm["cause"], alarm["state"]) == ("alarm/1", "camera", "raised")
        line.send_signal(signal.SIGTERM)
        assert ended(line) == 0


def test_a_degree_set_by_a_person_is_in_force_and_recorded_once(endless: Path) -> None:
    state_dir = config_of(endless).state_dir
    desk = state_dir / "requests" / "line"
    with start(endless, "run", "--json") as line:
        assert line.stdout is not None
        line.stdout.readline()
        arguments = {"degree": "shadow", "reason": "a new batch"}
        request = Request(Clock().new_id(), "set_degree", arguments, "anna", "root")
        drain = threading.Thread(target=line.stdout.read)
        drain.start()
        answer = ask(desk, request, GIVE_UP_S)
        answered_ns = time.monotonic_ns()
        wrong = ask(desk, Request(Clock().new_id(), "set_degree", {"degree": "on"}), GIVE_UP_S)
        newest = ask(desk, Request(Clock().new_id(), "frame", {}), GIVE_UP_S)
        line.send_signal(signal.SIGTERM)
        assert line.wait(GIVE_UP_S) == 0
        drain.join()
    assert answer == {"ok": True, "in_force": "shadow", "why": "set by a person"}
    assert wrong is not None
    assert not wrong["ok"]
    assert newest is not None
    assert Path(str(newest["path"])).read_bytes()[:2] == b"\xff\xd8"
    (made,) = of_kind(endless, "automation/1")
    assert (made["by"], made["account"], made["request"]) == ("anna", "root", request.id)
    after = [
        record["automation"]
        for record in of_kind(endless, "inspection/1")
        if record["monotonic_ns"] > answered_ns
    ]
    assert set(after) == {"shadow"}
    with start(endless, "run", "--parts", "2") as again:
        assert ended(again) == 0
    assert of_kind(endless, "inspection/1")[-1]["automation"] == "shadow"


def test_the_service_manager_is_told_of_start_life_and_end(tmp_path: Path, endless: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(GIVE_UP_S)
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "n")}
        with start(endless, "run", env=environment) as line:
            assert manager.recv(100) == b"READY=1"
            assert [manager.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2
            line.send_signal(signal.SIGTERM)
            while (said := manager.recv(100)) != b"STOPPING=1":
                assert said == b"WATCHDOG=1"
            assert ended(line) == 0


@pytest.fixture
def line(settings: Path) -> Iterator[Line]:
    made = build(config_of(settings))
    yield made
    made._appliance.lock.release()
    made._appliance.recorder.close()


def run(line: Line) -> int:
    """Run it here; a line that hangs fails the test instead of hanging it."""
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(line.run()), daemon=True)
    thread.start()
    thread.join(GIVE_UP_S)
    assert codes, "the line did not end"
    return codes[0]


@pytest.mark.parametrize(
    ("name", "thread", "good"),
    [
        ("inspector", "inspect", 3),
        ("keeper", "keep", 1),
        ("recorder", "record", 1),
        ("tender", "tend", 0),
    ],
)
def test_a_thread_that_fails_ends_the_line_with_1_and_nobody_waits_for_it(
    settings: Path, name: str, thread: str, good: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "ENTRIES", 2)  # so that the others would soon have to wait
    line = build(config_of(settings))
    worker = getattr(line._appliance, name)
    steps = iter(range(good))

    def fail() -> bool:
        if next(steps, None) is None:
            raise ZeroDivisionError("a mistake")
        return bool(type(worker).step(worker))

    worker.step = fail
    assert run(line) == 1
    assert isinstance(line._threads[thread].failure, ZeroDivisionError)


@pytest.mark.parametrize("room", [256, 2])
def test_with_a_disk_that_refuses_the_end_comes_and_everything_is_counted(
    settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(wiring, "ENTRIES", room)
    monkeypatch.setattr(daemon, "log", Log(every_s=0.0))
    line = build(config_of(settings))
    parts = line._appliance

    def refuse(*given: object, **more: object) -> None:
        if room == 2 and len(parts.recorded) == len(parts.entries) == 2:
            line.stop()  # all is full: as when a person stops the service now
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(parts.recorder._journal, "append", refuse)
    monkeypatch.setattr(parts.recorder, "_retry_s", 0.01)
    assert run(line) == 1
    (said,) = [text for text in capsys.readouterr().err.splitlines() if "line.unrecorded" in text]
    count = int(said.split("records=")[1].split()[0])
    # and perhaps the alarm about the disk itself
    assert 2 * parts.inspector.inspected <= count <= 2 * parts.inspector.inspected + 1


def test_a_part_that_the_camera_still_holds_at_the_end_is_recorded(
    line: Line, settings: Path
) -> None:
    parts = line._appliance
    overruns = parts.tender._tended.overruns
    close = parts.camera.close

    def close_with_one_more() -> None:
        close()
        overruns.add(Frame(None, 1, 1_795_000_000.0, 1, part_id="the last"))

    parts.camera.close = close_with_one_more  # type: ignore[method-assign]
    assert run(line) == 0
    last = [one for one in of_kind(settings, "inspection/1") if one["part_id"] == "the last"]
    assert [one["reason"] for one in last] == ["overrun"]


def test_a_thread_that_does_not_move_starves_the_watchdog(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed: list[str] = []
    monkeypatch.setattr(line._appliance.notifier, "watchdog", lambda: fed.append("fed"))
    line._feed_watchdog()
    assert fed == ["fed"], "what has not begun is not stuck"
    monkeypatch.setattr(line._threads["keep"], "moved_within", lambda now, seconds: False)
    line._feed_watchdog()
    assert fed == ["fed"]


def test_a_second_signal_ends_at_once(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(stopping.os, "_exit", codes.append)
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        line.handle_signals()
        signal.raise_signal(signal.SIGTERM)
        assert line._appliance.stop.is_set()
        assert codes == []
        signal.raise_signal(signal.SIGINT)
        assert codes == [130]
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])


def test_room_is_made_until_the_last_record_is_written(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = build(config_of(settings))
    parts, looks = line._appliance, []
    append = parts.recorder._journal.append

    class MakesRoom:
        def step(self, now_ns: int) -> tuple[()]:
            if parts.stop.is_set() and parts.recorder.failing is not None:
                looks.append(now_ns)
            return ()

        def close(self) -> None: ...

    def full_at_the_end(*given: Any, **more: Any) -> Any:
        if parts.stop.is_set() and len(looks) < 3:
            raise sqlite3.OperationalError("database or disk is full")
        return append(*given, **more)

    tended = parts.tender._tended
    tended.helpers = (*tended.helpers, MakesRoom())
    monkeypatch.setattr(parts.recorder._journal, "append", full_at_the_end)
    monkeypatch.setattr(parts.recorder, "_retry_s", 0.1)
    parts.inspector._most = 3
    assert run(line) == 0
    assert len(of_kind(settings, "inspection/1")) == 3
