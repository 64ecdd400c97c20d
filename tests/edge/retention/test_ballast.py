import errno
import os
from pathlib import Path

import pytest

from edge.retention import ballast
from edge.retention.ballast import Ballast, fitting

SIZE = 256 * 1024


def test_it_is_made_of_real_blocks(tmp_path: Path) -> None:
    one = Ballast(tmp_path, SIZE)
    assert one.balance(free=10 * SIZE, refused=False)
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= SIZE
    assert Ballast(tmp_path, SIZE).aboard, "that of the last run"


@pytest.mark.parametrize(
    ("aboard", "free", "refused", "afterwards"),
    [
        (True, 10, False, True),
        (True, 10, True, True),
        (True, 1, False, True),
        (True, 1, True, False),
        (True, 0, False, False),
        (False, 2, False, False),
        (False, 3, False, True),
        (False, 3, True, False),
    ],
)
def test_it_goes_when_the_disk_is_full_and_comes_back_when_there_is_room(
    tmp_path: Path, aboard: bool, free: int, refused: bool, afterwards: bool
) -> None:
    one = Ballast(tmp_path, SIZE)
    if aboard:
        one.take()
    assert one.balance(free * SIZE, refused) is afterwards
    assert one.aboard is afterwards


def test_a_disk_without_room_for_it_leaves_nothing_behind(tmp_path: Path, monkeypatch) -> None:
    def full(handle: int, begin: int, size: int) -> None:
        os.truncate(handle, size // 2)
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(ballast.os, "posix_fallocate", full)
    one = Ballast(tmp_path, SIZE)
    assert not one.take()
    assert not (tmp_path / "ballast").exists()
    assert not Ballast(tmp_path / "nowhere", SIZE).take()


def test_its_size_follows_the_disk() -> None:
    mib = 1 << 20
    assert [fitting(n * mib) for n in (1, 32, 1024, 10**6)] == [
        256 * 1024,
        mib // 2,
        16 * mib,
        32 * mib,
    ]
