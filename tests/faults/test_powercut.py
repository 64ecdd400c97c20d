"""The tools can catch a fault: promises that are kept are seen kept, others are seen broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.contents import SECTOR, File
from tests.faults.powercut import Disk, moments, read_tree, write_tree
from tests.faults.preload import Event, Faults

CUTS = 60

EVERYTHING = """
import os, shutil, sqlite3, sys, tempfile
from pathlib import Path
top = Path(sys.argv[1])
(top / "a/b").mkdir(parents=True)
(top / "a/one").write_bytes(b"1" * 700)
with open(top / "a/one", "r+b", buffering=0) as f:
    f.seek(100); f.write(b"x" * 10); os.pwrite(f.fileno(), b"y", 2000); f.truncate(1500)
    os.writev(f.fileno(), [b"v", b"w" * 600]); os.fsync(f.fileno())
with open(top / "a/one", "ab") as f:
    f.write(b"end")
shutil.copy(top / "a/one", top / "a/two")
os.link(top / "a/two", top / "three")
os.rename(top / "three", top / "a/b/four")
os.chdir(top / "a")
Path("relative").write_text("r" * 5000); os.unlink("two")
Path("relative").write_text("shorter")
folder = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
os.mkdir("made", dir_fd=folder); os.rmdir("made", dir_fd=folder); os.fsync(folder)
with open("ballast", "wb") as f:
    os.posix_fallocate(f.fileno(), 0, 100_000)
shutil.rmtree(tempfile.mkdtemp(dir=top))
database = sqlite3.connect(top / "x.db", isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("CREATE TABLE t (a)")
for n in range(50):
    database.execute("INSERT INTO t VALUES (?)", ["z" * n * 100])
database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
database.execute("DELETE FROM t")
print("done", flush=True)
os._exit(0)
"""

COMMITS = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1] + "/x.db", isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = " + sys.argv[2])
database.execute("PRAGMA wal_autocheckpoint = 20")
database.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, a)")
for n in range(120):
    database.execute("INSERT INTO t VALUES (?, ?)", [n, "z" * 1000])
    print(n, flush=True)
"""

RENAMES = """
import os, sys
for n in range(40):
    with open(sys.argv[1] + "/new", "wb") as f:
        f.write(b"%d" % n * 300)
        f.flush()
        if "sync" in sys.argv: os.fsync(f.fileno())
    os.rename(sys.argv[1] + "/new", sys.argv[1] + "/file")
    if "folder" in sys.argv:
        handle = os.open(sys.argv[1], os.O_RDONLY)
        os.fsync(handle); os.close(handle)
    print(n, flush=True)
"""


def record(tmp_path: Path, program: str, *words: str) -> tuple[Path, list[Event]]:
    """Run a small program; the folder it worked in, and what it did there."""
    top = tmp_path / "top"
    top.mkdir()
    faults = Faults(tmp_path / "faults", top, record=True)
    command = [sys.executable, "-c", program, str(top), *words]
    with open(tmp_path / "said", "wb") as said:
        subprocess.run(command, env=faults.environment, stdout=said, check=True)
    return top, faults.events()


def cuts(tmp_path: Path, events: list[Event]):
    """Folders as after power cuts, each with what had been said by then."""
    disk, taken, said = Disk(tmp_path / "top"), 0, b""
    for number, place in enumerate(moments(events, CUTS, Random(5))):
        for event in events[taken:place]:
            disk.take(event)
            said += event.data if event.op == "M" else b""
        taken = place
        yield disk.after_power_cut(number), said.split()


def test_nothing_escapes_the_record(tmp_path):
    top, events = record(tmp_path, EVERYTHING)
    disk = Disk(top)
    for event in events:
        disk.take(event)
    seen, real = disk.now(), read_tree(top)
    assert {name for name in seen if not name.endswith("-shm")} == {
        name for name in real if not name.endswith("-shm")
    }
    assert [n for n in real if not n.endswith("-shm") and seen[n] != real[n]] == []
    assert {event.op for event in events} >= set("CWTSYRLUDM")
    assert b"".join(event.data for event in events if event.op == "M") == b"done\n"


def lost_rows(tmp_path: Path, synchronous: str) -> int:
    """How many rows were missing that had been said to be committed."""
    import sqlite3

    _, events = record(tmp_path, COMMITS, synchronous)
    lost = 0
    for number, (tree, said) in enumerate(cuts(tmp_path, events)):
        write_tree(tree, tmp_path / str(number))
        database = sqlite3.connect(tmp_path / str(number) / "x.db")
        (there,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        rows = {row for (row,) in database.execute("SELECT n FROM t")} if there else set()
        database.close()
        lost += len({int(word) for word in said} - rows)
    return lost


def test_sqlite_keeps_what_it_has_synced(tmp_path):
    assert lost_rows(tmp_path, "FULL") == 0


def test_sqlite_loses_what_it_has_not_synced(tmp_path):
    assert lost_rows(tmp_path, "NORMAL") > 0


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (("sync", "folder"), {"kept"}),
        (("sync",), {"kept", "older"}),
        (("folder",), {"kept", "torn"}),
    ],
)
def test_a_file_that_is_replaced(tmp_path, words, allowed):
    _, events = record(tmp_path, RENAMES, *words)
    seen = set()
    for tree, said in cuts(tmp_path, events):
        content, whole = tree.get("file"), [b"%d" % n * 300 for n in range(40)]
        if said and content in whole:
            seen.add("kept" if whole.index(content) >= int(said[-1]) else "older")
        elif said:
            seen.add("older" if content is None else "torn")
    assert seen == allowed


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 4000), st.binary(min_size=1, max_size=1500)),
        st.tuples(st.just("truncate"), st.integers(0, 4000)),
        st.tuples(st.just("sync")),
        st.tuples(st.just("fail_to_sync")),
    ),
    max_size=12,
)


@given(OPERATIONS, st.integers(0, 1 << 32))
def test_sectors_hold_only_what_they_once_held(operations, seed):
    file, chance = File(), Random(seed)
    held = {}
    for name, *words in operations:
        getattr(file, name)(*([chance] if name == "fail_to_sync" else words))
        for start in range(0, 6000, SECTOR):
            sector = bytes(file.now[start : start + SECTOR]).ljust(SECTOR, b"\0")
            held.setdefault(start, {bytes(SECTOR)}).add(sector)
    after = file.after_power_cut(chance)
    for start in range(0, len(after), SECTOR):
        # where a file ends within a sector, the rest of it is zeros
        sector = bytes(after[start : start + SECTOR]).ljust(SECTOR, b"\0")
        assert any(known.startswith(sector.rstrip(b"\0")) for known in held[start])


@given(OPERATIONS, st.integers(0, 1 << 32))
def test_what_was_synced_is_there(operations, seed):
    file, chance = File(), Random(seed)
    for name, *words in operations:
        if name != "fail_to_sync":
            getattr(file, name)(*words)
    file.sync()
    assert file.after_power_cut(chance) == file.now


def test_a_failed_fsync_is_not_made_good_by_the_next_one():
    outcomes = set()
    for seed in range(50):
        file = File()
        file.write(0, b"x" * 5000)
        file.fail_to_sync(Random(seed))
        file.sync()
        outcomes.add(bytes(file.after_power_cut(Random(0))) == file.now)
    assert outcomes == {True, False}
