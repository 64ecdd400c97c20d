"""How far a long command is: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from edge.cli.progress import EVERY, progress

SCRIPT = """
from edge.cli.progress import progress
with progress("pictures scored") as tell:
    for _ in range(2):
        for number in range(1, 41):
            tell(number, 40)
    if {fails}:
        raise ValueError("a wrong size")
"""
HIDDEN, VISIBLE = b"\x1b[?25l", b"\x1b[?25h"


def on_a_terminal(fails: bool) -> bytes:
    """What a terminal of 80 columns is sent."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-c", SCRIPT.format(fails=fails)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, env=environment, stderr=theirs) as child:
        os.close(theirs)
        sent = b""
        try:
            while more := os.read(ours, 65536):
                sent += more
        except OSError:
            pass  # the other end is closed
        assert child.wait() == int(fails)
    os.close(ours)
    return sent


@pytest.mark.parametrize("fails", [False, True])
def test_a_terminal_shows_a_bar_and_gets_its_cursor_back(fails: bool) -> None:
    sent = on_a_terminal(fails)
    assert b"pictures scored" in sent
    assert b"40/40" in sent
    assert "━".encode() in sent
    assert sent.count(HIDDEN) == sent.count(VISIBLE) == 1
    assert sent.index(HIDDEN) < sent.index(b"40/40") < sent.index(VISIBLE)
    assert (b"a wrong size" in sent[sent.index(VISIBLE) :]) is fails


def test_elsewhere_a_line_comes_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("pictures scored") as tell:
        for number in range(1, 2 * EVERY + 2):
            tell(number, 2 * EVERY + 1)
    assert capsys.readouterr().err == (
        "pictures scored 500 of 1,001\npictures scored 1,000 of 1,001\n"
    )


def test_the_bar_is_imported_for_a_terminal_only() -> None:
    script = SCRIPT.format(fails=False) + "import sys; assert 'rich' not in sys.modules"
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True, stderr=subprocess.PIPE)
