"""The simulated operators' thread."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from edge.demo.operators import Operators
from edge.demo.page import NoPage


class Steps:
    """Lets so many steps happen, without waiting."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def wait(self, _: float) -> bool:
        self._left -= 1
        return self._left < 0


def run(operators: Operators, steps: int) -> None:
    operators._stop = Steps(steps)  # type: ignore[assignment]
    operators._run()


def nobody_listens() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_page_that_has_yet_to_start_is_no_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(Operators(tmp_path / "line.db", nobody_listens(), ["ei_x"], 60.0), 2)
    assert "operators.waiting" not in capsys.readouterr().err


def test_a_page_that_goes_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    operators = Operators(tmp_path / "line.db", nobody_listens(), ["ei_x"], 60.0)
    answers = iter([0.0])

    def step(now: float) -> float:
        for due in answers:
            return now + due
        raise NoPage("it is gone")

    monkeypatch.setattr("edge.demo.operator.Operator.step", lambda _, now: step(now))
    run(operators, 2)
    assert "operators.waiting" in capsys.readouterr().err
