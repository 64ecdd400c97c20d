"""How far a long command is, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 500

Tell = Callable[[int, int], None]


@contextmanager
def progress(words: str) -> Iterator[Tell]:
    """Hears how many of how many are done: a bar on a terminal, gone once the work is; elsewhere
    a line now and then."""
    if not sys.stderr.isatty():
        yield _lines(words)
        return
    with _bar(words) as tell:
        yield tell


def _lines(words: str) -> Tell:
    def tell(done: int, of: int) -> None:
        if done % EVERY == 0:
            sys.stderr.write(f"{words} {done:,} of {of:,}\n")
            sys.stderr.flush()

    return tell


@contextmanager
def _bar(words: str) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=None)

        def tell(done: int, of: int) -> None:
            if done < bar.tasks[0].completed:  # another pass over the same parts
                bar.reset(task, total=of)
            bar.update(task, completed=done, total=of)

        yield tell
