"""How far a long command is, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable

EVERY = 500


def progress(words: str) -> Callable[[int, int], None]:
    """Hears how many of how many are done: one line that is overwritten on a terminal, elsewhere
    a line now and then."""
    terminal = sys.stderr.isatty()

    def tell(done: int, of: int) -> None:
        if terminal:
            sys.stderr.write(f"\r{words} {done:,} of {of:,} ")
            sys.stderr.write("\r\x1b[K" if done >= of else "")
        elif done % EVERY == 0:
            sys.stderr.write(f"{words} {done:,} of {of:,}\n")
        sys.stderr.flush()

    return tell
