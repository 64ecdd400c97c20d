"""Messages on standard error: one line each, limited, and never a reason to stop."""

from __future__ import annotations

import io
import sys

import pytest

from edge.log import Log


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    return Time()


def test_a_message_is_one_line(time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    Log(now=time).warning("disk.full", free=0, path="/a b", text='say "hi"\nand go', empty="")
    assert capsys.readouterr().err == (
        'warning disk.full free=0 path="/a b" text="say \\"hi\\"\\nand go" empty=""\n'
    )


def test_under_systemd_lines_carry_a_priority(
    time: Time, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    log = Log(now=time)
    log.info("a")
    log.warning("b")
    log.error("c")
    assert capsys.readouterr().err == "<6>info a\n<4>warning b\n<3>error c\n"


def test_the_same_event_is_printed_once_a_second_and_the_rest_is_counted(
    time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log(now=time)
    for number in range(5):
        log.info("again", number=number)
        log.info("other" if number else "first")
        time.now += 0.2
    log.info("again", number=5)
    assert capsys.readouterr().err.splitlines() == [
        "info again number=0",
        "info first",
        "info other",
        "info again number=5 left_out=4",
    ]


def test_an_exception_keeps_its_trace_on_the_line(
    time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        raise ZeroDivisionError("oh")
    except ZeroDivisionError:
        Log(now=time).exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith('error failed trace="Traceback')
    assert "ZeroDivisionError: oh" in line


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_reader_that_has_gone_is_no_reason_to_stop(
    time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Broken())
    Log(now=time).info("a")
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    Log(now=time).info("b")
