"""How a failure leaves a command: words on standard error, and an exit code that means something.

0 done · 1 failed · 2 wrong usage or configuration · 3 the service is not running · 4 a check
failed, degraded, or the data do not suffice · 130 second interrupt.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

FAILED = 1
USAGE = 2
NOT_RUNNING = 3
CHECK_FAILED = 4
INTERRUPTED = 130


def say(message: str) -> None:
    """Words for a person, on standard error."""
    typer.echo(message, err=True)


def fail(message: str, hint: str = "", code: int = FAILED) -> NoReturn:
    """End the command: what is wrong, and what to do."""
    say(f"edge-inspect: {message}")
    if hint:
        say(f"  → {hint}")
    raise typer.Exit(code)


def explain(error: BaseException) -> int:
    """Say an error that reached the top in words; the exit code. Unknown ones are raised again."""
    from edge.config_file import ConfigError
    from edge.store.errors import StoreError

    if isinstance(error, ConfigError):
        say(str(error))
        return USAGE
    if isinstance(error, StoreError):
        say(f"edge-inspect: {error}" + (f"\n  → {error.hint}" if error.hint else ""))
        return FAILED
    if isinstance(error, BrokenPipeError):
        # The reader of our output has enough; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, OSError):
        say(f"edge-inspect: {error}")
        return FAILED
    raise error
