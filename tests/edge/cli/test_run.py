import os
import pty
import subprocess
import sys

CONFIG = """
station: {site: plant-a, line: line-3, name: caps}
state_dir: state
camera: {source: synthetic, parts_per_second: 0, limit: 2}
model: {bundle: "@rings"}
"""


def run(folder, stderr):
    (folder / "edge-inspect.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "edge", "run", "--config", str(folder / "edge-inspect.yaml")]
    return subprocess.run(command, stderr=stderr, check=True, timeout=60)


def test_a_person_who_starts_it_is_told_where_to_look(tmp_path):
    ours, theirs = pty.openpty()
    run(tmp_path, theirs)
    said = os.read(ours, 65536).decode()
    os.close(theirs)
    os.close(ours)
    assert "plant-a/line-3/caps" in said
    assert "Ctrl-C" in said


def test_a_journal_gets_log_lines_only(tmp_path):
    log = tmp_path / "log"
    with log.open("wb") as stream:
        run(tmp_path, stream)
    lines = log.read_text().splitlines()
    assert lines
    assert all(line.split()[0] in ("info", "warning", "error") for line in lines)
