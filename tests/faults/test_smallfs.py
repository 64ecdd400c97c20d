"""The small file system is small, is left behind by nobody, and works for ordinary users too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.smallfs import MEGABYTE, small_fs

WRITE = """
import sys
try:
    with open(sys.argv[1], "wb", buffering=0) as f:
        for _ in range(100): f.write(bytes(65536))
except OSError as error:
    print(error.errno)
"""


@pytest.mark.parametrize("user", ["this", "ordinary"])
def test_it_is_small_and_then_gone(tmp_path, monkeypatch, user):
    if user == "ordinary":
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with small_fs(tmp_path / "small", 4 * MEGABYTE) as small:
        big = str(small.inside / "big")
        command = small.command([sys.executable, "-c", WRITE, big])
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        assert said == "28\n"
        assert (small.folder / "big").stat().st_size == 4 * MEGABYTE
        (small.folder / "big").unlink()
        assert small.free == 4 * MEGABYTE
        filler = small.fill(leave=100_000)
        assert 0 < small.free <= 100_000 + 4096
        filler.unlink()
        assert small.free == 4 * MEGABYTE
    assert list((tmp_path / "small").iterdir()) == []
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
