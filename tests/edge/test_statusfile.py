"""The status file of a service."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.statusfile import StatusFile


def test_what_is_written_is_read_and_anyone_may_read_it(tmp_path: Path) -> None:
    file = StatusFile(tmp_path / "new", "line")
    file.write({"state": "ok", "n": 1})
    assert file.read() == {"state": "ok", "n": 1}
    assert file.path == tmp_path / "new" / "line.json"
    assert file.path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"7", b"[" * 100_000])
def test_a_file_that_is_none_is_no_status(tmp_path: Path, data: bytes) -> None:
    file = StatusFile(tmp_path, "line")
    assert file.read() is None
    file.path.write_bytes(data)
    assert file.read() is None
