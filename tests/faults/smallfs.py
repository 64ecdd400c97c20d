"""A small file system in memory, to be filled to the brim, without touching the machine's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

MEGABYTE = 1 << 20


class SmallFs:
    """A tmpfs of `size` bytes at `folder`, and how programs get to see it.

    As root it is mounted for everybody. As an ordinary user it exists in a name space of its own:
    `command` starts programs inside it, and `folder` is a path by which the test looks in.
    """

    def __init__(self, folder: Path, inside: Path, enter: Sequence[str] = ()) -> None:
        self.folder = folder
        self.inside = inside
        self._enter = list(enter)

    def command(self, words: Sequence[str]) -> list[str]:
        """The command that runs `words` where `inside` is the small file system."""
        return [*self._enter, *words]

    @property
    def free(self) -> int:
        """Bytes that can still be written."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> Path:
        """One file takes all the room but `leave` bytes; remove it to make room."""
        path = self.folder / "filler"
        with open(path, "ab", buffering=0) as stream:
            while (room := self.free - leave) > 0:
                try:
                    stream.write(bytes(min(room, MEGABYTE)))
                except OSError:
                    break
        return path


@contextmanager
def small_fs(folder: Path, size: int = 32 * MEGABYTE) -> Iterator[SmallFs]:
    """Make one at `folder`; skips the test where neither mount nor `unshare -rm` is allowed."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "edge-inspect-test"]
    if os.geteuid() == 0 and _works([*mount, str(folder)]):
        try:
            yield SmallFs(folder, folder)
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        return
    if shutil.which("unshare") is None or not _works(["unshare", "-rm", "true"]):
        pytest.skip("a small file system needs root, or `unshare -rm` for ordinary users")
    script = f'{" ".join(mount)} "$0" && echo mounted && read end'
    with subprocess.Popen(
        ["unshare", "-rm", "sh", "-c", script, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as keeper:
        assert keeper.stdout is not None
        if keeper.stdout.readline() != "mounted\n":
            keeper.communicate("\n")
            pytest.skip("a tmpfs may not be mounted in a user name space here")
        try:
            enter = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(keeper.pid)]
            yield SmallFs(Path(f"/proc/{keeper.pid}/root{folder.resolve()}"), folder, enter)
        finally:
            keeper.communicate("\n")


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False
