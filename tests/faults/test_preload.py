"""Python really goes through what the preload library stands before."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import time

from tests.faults.preload import Faults

WRITES = """
import json, os, sqlite3, sys
top, seen = sys.argv[1], []
for n in range(2000):
    handle = os.open(f"{top}/{n % 5}", os.O_WRONLY | os.O_CREAT)
    for call in (lambda: os.write(handle, b"12345678"), lambda: os.pwrite(handle, b"1", 9),
                 lambda: os.fsync(handle), lambda: os.fdatasync(handle),
                 lambda: os.ftruncate(handle, 4)):
        try:
            seen.append("half" if call() == 4 else "done")
        except OSError as error:
            seen.append(error.errno)
    os.close(handle)
json.dump(seen, open(sys.argv[2], "w"))
"""

SQLITE = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1] + "/x.db", isolation_level=None)
database.execute("CREATE TABLE t (a)")
for n in range(300):
    try:
        database.execute("INSERT INTO t VALUES (1)")
    except sqlite3.OperationalError as error:
        print(error)
"""

CLOCK = """
import datetime, json, sys, time
for line in sys.stdin:
    print(json.dumps([time.time(), time.time_ns() / 1e9, time.monotonic(),
                      datetime.datetime.now().timestamp()]), flush=True)
"""


def test_a_share_of_writes_fails(tmp_path):
    top = tmp_path / "top"
    top.mkdir()
    faults = Faults(tmp_path / "faults", top)
    faults.fail(0.01)
    command = [sys.executable, "-c", WRITES, str(top), str(tmp_path / "seen")]
    subprocess.run(command, env=faults.environment, check=True)
    seen = json.loads((tmp_path / "seen").read_text())
    wrong = [one for one in seen if one != "done"]
    assert set(wrong) == {errno.ENOSPC, errno.EIO, "half"}
    assert 50 < len(wrong) < 200
    assert len(wrong) <= faults.injected  # half of one byte is refused


def test_sqlite_is_hit_too(tmp_path):
    top = tmp_path / "top"
    top.mkdir()
    faults = Faults(tmp_path / "faults", top)
    faults.fail(0.01)
    command = [sys.executable, "-c", SQLITE, str(top)]
    done = subprocess.run(command, env=faults.environment, stdout=subprocess.PIPE, check=True)
    assert b"disk I/O error" in done.stdout
    assert b"full" in done.stdout


def test_the_wall_clock_moves_and_the_monotonic_one_does_not(tmp_path):
    faults = Faults(tmp_path / "faults")
    ten_years = 10 * 365.25 * 86400
    with subprocess.Popen(
        [sys.executable, "-c", CLOCK],
        env=faults.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin
        assert child.stdout
        for by in (0.0, ten_years, -ten_years, 0.0):
            faults.shift_clock(by)
            before = time.time(), time.monotonic()
            print("now", file=child.stdin, flush=True)
            wall, wall_too, monotonic, date = json.loads(child.stdout.readline())
            after = time.time(), time.monotonic()
            for seen in (wall, wall_too, date):
                assert before[0] - 0.01 <= seen - by <= after[0] + 0.01
            assert before[1] <= monotonic <= after[1]
        child.stdin.close()
