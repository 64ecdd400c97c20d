"""What the commands that read line.db have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.errors import fail

if TYPE_CHECKING:
    from edge.config import Config
    from edge.recovery.history import History
    from edge.store.rows import Row


@contextmanager
def records(config: Path | None) -> Iterator[tuple[Config, History]]:
    """The configuration and its records, read as the owner of the state directory.

    A database that cannot be read ends the command with words.
    """
    import sqlite3

    from edge.config_file import load
    from edge.recovery.history import History
    from edge.store.owner import become_owner

    settings = load(config)
    become_owner(settings.state_dir)
    path = settings.state_dir / "line.db"
    with History(path) as archive:
        try:
            yield settings, archive
        except sqlite3.Error as error:
            fail(f"{path}: {error}", "edge-inspect results --verify says which record is damaged")


def as_json(archive: History, row: Row) -> str:
    """The record as one line: its stored text, then where it stands in the chain.

    The stored text is copied, not made again, so that whoever reads it can check the hash.
    """
    previous = archive.holding(row).previous_hash(row.seq)
    shown = "null" if previous is None else f'"{previous}"'
    text = row.body.decode()
    return f'{text[:-1]},"previous_hash":{shown},"hash":"{row.hash}"}}'
