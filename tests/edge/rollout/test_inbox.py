"""What sync has put into the inbox, as the line reads it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.rollout.inbox import Inbox
from sync import inbox
from sync.assignment import LARGEST, Assignment
from tests.edge.rollout.bench import assignment


def put(folder: Path, said: Assignment) -> Inbox:
    """Where sync has accepted it."""
    inbox.Inbox(folder).write(inbox.Entry(said, "2026-01-01T00:00:00Z", "assigned"))
    return Inbox(folder, said.station)


def test_the_longest_assignment_that_sync_takes_is_read(tmp_path: Path) -> None:
    said = assignment()
    pieces = 3000
    longest = said
    while len(said.as_bytes()) <= LARGEST:
        longest, pieces = said, pieces + 1
        hashes = ("a" * 64,) * pieces
        said = replace(said, bundle=replace(said.bundle, size=pieces, piece=1, pieces=hashes))
    assert len(json.dumps(longest.as_json())) > LARGEST
    found = put(tmp_path, longest).look()
    assert found is not None
    assert found.assignment == longest


def test_one_that_could_not_be_read_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = assignment()
    line = put(tmp_path, said)

    def refused(path: Path, *more: object) -> object:
        raise OSError(24, "too many open files", str(path))

    with monkeypatch.context() as short:
        short.setattr(Path, "open", refused)
        assert line.look() is None
    found = line.look()
    assert found is not None
    assert found.assignment == said
