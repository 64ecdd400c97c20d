"""A role in a process of its own, and what it measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

RESULT = "RESULT "


def run(role: str, **arguments: Any) -> Any:
    """Run one role in a fresh process; its result."""
    done = subprocess.run(_command(role, arguments), capture_output=True, text=True, check=False)
    found = result(done.stdout)
    if found is None:
        raise SystemExit(f"{role} failed:\n{done.stderr[-2000:]}")
    return found


def begin(role: str, **arguments: Any) -> subprocess.Popen[str]:
    """The same, beside what goes on here; `result` reads what it printed."""
    return subprocess.Popen(_command(role, arguments), stdout=subprocess.PIPE, text=True)


def result(printed: str) -> Any:
    """What a role measured; None where it came to nothing."""
    for line in printed.splitlines():
        if line.startswith(RESULT):
            return json.loads(line.removeprefix(RESULT))
    return None


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """A quiet child."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _command(role: str, arguments: dict[str, Any]) -> list[str]:
    return [sys.executable, str(Path(__file__).parent), role, json.dumps(arguments)]
