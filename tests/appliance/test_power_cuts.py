"""Power cuts, simulated: what was reported as recorded is there, and the station starts.

The real programs run once; everything that they do to the disk is recorded. Then the power is cut
at hundreds of moments of that record (tests/faults/powercut.py says what may be left), and each
time the files are opened as a start of the service opens them.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from edge.clock import Clock
from edge.recovery.enduring import EnduringJournal
from edge.store.archive import Archive
from edge.store.verify import verify
from tests.appliance.station import SOME_OF_EACH, config_of, pictures, rows, start, station
from tests.conftest import SOAK
from tests.edge.test_standards import make
from tests.faults.powercut import Disk, moments, write_tree
from tests.faults.preload import Event, Faults
from tests.faults.quick import scratch
from tests.simulators.broker import running_broker
from tests.simulators.patience import until

CUTS = 1500 if SOAK else 300
CUTS_WITH_PERSONS = 500 if SOAK else 40
CUTS_WITH_RETENTION = 500 if SOAK else 60
EACH_RESTARTED = 40
"""One power cut in so many is followed by a real start of the line."""
PACED = {"trigger": {"source": "interval", "every_ms": 20}}
ENDLESS = 1_000_000


@dataclass
class Recorded:
    """What happened to the folder `top`, and the disk before it."""

    settings: Path
    disk: Disk
    events: list[Event]

    @property
    def state(self) -> Path:
        """The state directory, below the top."""
        return config_of(self.settings).state_dir.relative_to(self.disk.top)


@dataclass
class Said:
    """What the programs had said by some moment: whole lines, by process."""

    partial: dict[int, bytes] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Some of what one process wrote on its standard output, or a mark of the test."""
        *whole, rest = (self.partial.get(event.pid, b"") + event.data).split(b"\n")
        self.partial[event.pid] = rest
        self.lines += [line.decode() for line in whole if line]


def cuts(recorded: Recorded, count: int, folder: Path) -> Iterator[tuple[int, Path, list[str]]]:
    """Folders as after a power cut, each with what had been said before it."""
    taken, said = 0, Said()
    places = moments(recorded.events, count, Random(count))
    assert len(places) == count
    for number, place in enumerate(places):
        for event in recorded.events[taken:place]:
            recorded.disk.take(event)
            if event.op == "M":
                said.take(event)
        taken = place
        target = folder / str(number)
        write_tree(recorded.disk.after_power_cut(number), target)
        yield number, target, said.lines
        shutil.rmtree(target)


def record_of(database: Path, stream: str) -> dict[str, str]:
    """Open a database as its service does at a start; every record in it by body, its schema."""
    journal = EnduringJournal.begin(database, "another boot", Clock(), {}, stream)
    waiting = {one.inspection for one in journal.open_escalations()}
    journal.close()
    assert not (database.parent / "damaged").exists(), "a power cut was taken for damage"
    with Archive(database) as archive:
        finding = verify(archive, database.parent)
        assert finding.sound, finding
        bodies = [row.body.decode() for row in archive.rows(0, 1 << 30, 1 << 40)]
    contents = [json.loads(body) for body in bodies]
    asked = {
        c["id"]
        for c in contents
        if c["schema"] == "inspection/1" and c["asked"] and c["decision"] == "escalate"
    }
    answered = [c["inspection"] for c in contents if c["schema"] == "disposition/1"]
    assert len(answered) == len(set(answered))
    assert waiting == asked - set(answered)
    return {body: content["schema"] for body, content in zip(bodies, contents, strict=True)}


def not_deleted(promised: set[str], database: Path) -> set[str]:
    """Those of the records that retention has not deleted: those behind the anchor."""
    with Archive(database) as archive:
        anchor = archive.anchor.seq
    return {body for body in promised if json.loads(body)["seq"] > anchor}


def restart(recorded: Recorded, top: Path) -> list[dict[str, Any]]:
    """Start the real line on what is left, let it inspect three parts; all its records."""
    settings = yaml.safe_load(recorded.settings.read_text())
    settings["state_dir"] = str(top / recorded.state)
    settings.pop("sync", None)
    again = recorded.settings.with_name("again.yaml")
    again.write_text(yaml.safe_dump(settings))
    before = len(rows(again))
    with start(again, "run", "--parts", "3") as line:
        assert line.wait() == 0
    state = top / recorded.state
    with Archive(state / "line.db") as archive:
        assert verify(archive, state).sound
    assert not list(state.rglob("*.part"))
    assert not (state / "damaged").exists()
    made = [json.loads(row.body) for row in rows(again)]
    assert [content["schema"] for content in made[before:]].count("inspection/1") == 3
    return made


def of_the_line(said: list[str]) -> set[str]:
    """What `run --json` printed."""
    return {line for line in said if line.startswith("{") and '"epoch"' in line}


WHOLE: tuple[tuple[int, Any], ...] = ((40, {}), (30, PACED), (ENDLESS, {}), (20, PACED))
SLOWER = {"trigger": {"source": "interval", "every_ms": 50}}
"""So that housework keeps up on a machine that has much else to do: where it does not, the line
ends with parts that are not recorded, and says so."""
CROWDED = ((150, SLOWER), (ENDLESS, SLOWER), (100, SLOWER))


def run_line(tmp_path: Path, runs: Sequence[tuple[int, Any]], **storage: Any) -> Recorded:
    """Several runs of a line that keeps every picture; the endless one is killed."""
    folder = pictures(tmp_path / "pictures", 12)
    camera = {"source": "folder", "path": str(folder), "loop": True}
    sections: dict[str, Any] = {
        "state_dir": "top/station/state",
        "storage": {"images": "all", **storage},
        "escalation": {"deadline_s": 0.2, "fallback": "reject"},
        "decision": SOME_OF_EACH,
    }
    top = tmp_path / "top"
    top.mkdir()
    faults = Faults(tmp_path / "faults", top, record=True)
    for parts, more in runs:
        settings = station(tmp_path, camera, **sections, **more)
        with open(tmp_path / "said", "w+") as said:
            words = ("run", "--json", "--parts", str(parts))
            with start(settings, *words, env=faults.environment, stdout=said) as line:
                if parts == ENDLESS:
                    until(lambda: (tmp_path / "said").stat().st_size > 20_000, a_moment)
                    line.kill()
                assert line.wait() == (-signal.SIGKILL if parts == ENDLESS else 0)
    return Recorded(settings, Disk(top), faults.events())


def a_moment() -> None:
    threading.Event().wait(0.005)


@pytest.mark.slow
def test_the_line(tmp_path: Path) -> None:
    recorded = run_line(tmp_path, WHOLE)
    kinds: set[str] = set()
    fates: set[str | None] = set()
    most = 0
    with scratch(tmp_path) as folder:
        for number, top, said in cuts(recorded, CUTS, folder):
            promised = of_the_line(said)
            database = top / recorded.state / "line.db"
            if not promised and not database.exists():
                continue
            found = record_of(database, "line")
            assert promised <= found.keys(), f"power cut {number}"
            kinds |= set(found.values())
            fates |= {json.loads(body).get("by") for body in found}
            most = max(most, len(promised))
            if number % EACH_RESTARTED == 0:
                made = restart(recorded, top)
                epochs = {content["epoch"] for content in made}
                assert len(epochs) == 1
    assert kinds == {"inspection/1", "disposition/1"}
    assert {"model", "fallback"} <= fates
    assert most > 100
    assert len(recorded.events) > 1000


def test_the_first_start_at_every_moment(tmp_path: Path) -> None:
    recorded = run_line(tmp_path, ((1, {}),))
    said = [place for place, event in enumerate(recorded.events) if event.op == "M"]
    events, disk = recorded.events[: said[0]], recorded.disk
    with scratch(tmp_path) as folder:
        for number, event in enumerate(events):
            disk.take(event)
            for seed in range(2):
                top = folder / f"{number}-{seed}"
                write_tree(disk.after_power_cut(1000 * number + seed), top)
                record_of(top / recorded.state / "line.db", "line")
                shutil.rmtree(top)
    assert any(event.path.endswith("-journal") for event in events)


@pytest.mark.slow
def test_the_line_while_old_records_and_pictures_go(tmp_path: Path) -> None:
    recorded = run_line(tmp_path, CROWDED, max_bytes=1_500_000)
    removed = [event for event in recorded.events if event.op == "U" and ".jpg" in event.path]
    assert len(removed) > 100
    deleted = 0
    with scratch(tmp_path) as folder:
        for number, top, said in cuts(recorded, CUTS_WITH_RETENTION, folder):
            promised = of_the_line(said)
            database = top / recorded.state / "line.db"
            if not promised and not database.exists():
                continue
            found = record_of(database, "line")
            assert not_deleted(promised, database) <= found.keys(), f"power cut {number}"
            deleted = max(deleted, len(promised - found.keys()))
    # how many, depends on how fast the machine was: only that the test has met what it is about
    assert deleted > 10


def command(faults: Faults, settings: Path, *words: str) -> None:
    """A command of a person, and a mark once it has said that it is done."""
    program = start(settings, *words, env=faults.environment, stdout=subprocess.DEVNULL)
    with program:
        assert program.wait() == 0, words
    faults.mark(json.dumps(["said", *words]))


def run_with_persons(tmp_path: Path, broker: str) -> Recorded:
    """A line in shadow with delivery; persons answer, set the degree, apply calibrations."""
    camera = {"source": "synthetic", "seed": 3, "width": 160, "height": 120}
    sections = {"sync": {"broker": broker}, "storage": {"images": "all"}}
    settings = station(
        tmp_path,
        {**camera, "parts_per_second": 25},
        state_dir="top/state",
        decision={"automation": "partial"},
        escalation={"deadline_s": 600},
        **sections,
    )
    first, second = make(settings), make(settings, accept_below=0.5, reject_above=0.5)
    top = tmp_path / "top"
    disk = Disk(top, existing=True)
    faults = Faults(tmp_path / "faults", top, record=True)
    by = ("--by", "anna")
    with open(tmp_path / "said", "w") as said:
        line = start(settings, "run", "--json", env=faults.environment, stdout=said)
        sync = start(settings, "sync", env=faults.environment, stdout=subprocess.DEVNULL)
        with line, sync:
            until(lambda: len(asked(settings)) >= 6, a_moment)
            six = asked(settings)[:6]
            for inspection in six[:3]:
                command(faults, settings, "queue", "verdict", inspection, "reject", *by)
            command(faults, settings, "automation", "set", "shadow", *by, "--reason", "one")
            command(faults, settings, "calibration", "apply", first, *by, "--reason", "two")
            for inspection in six[3:]:
                command(faults, settings, "queue", "verdict", inspection, "accept", *by)
            command(faults, settings, "calibration", "apply", second, *by, "--reason", "three")
            sync.terminate()
            line.terminate()
            assert (line.wait(), sync.wait()) == (0, 0)
    return Recorded(settings, disk, faults.events())


def asked(settings: Path) -> list[str]:
    """Inspections that wait for a person."""
    with Archive(config_of(settings).state_dir / "line.db") as archive:
        return [one.inspection for one in archive.open_escalations()]


def check_promises(said: list[str], line: list[Any], queue: list[Any]) -> int:
    """What commands said that they did is recorded, once; how many had said so."""
    commands = [json.loads(text) for text in said if text.startswith('["said"')]
    for _, name, verb, *words in commands:
        if name == "queue":
            found = [one for one in queue if one["schema"] == "verdict/1"]
            assert [one["verdict"] for one in found if one["inspection"] == words[0]] == [words[1]]
        else:
            schema = {"set": "automation/1", "apply": "calibration/1"}[verb]
            reasons = [one.get("reason") for one in line if one["schema"] == schema]
            assert reasons.count(words[-1]) == 1, (schema, reasons)
    return len(commands)


def check_position(state: Path, line: dict[str, str]) -> int:
    """`sync.json` is whole or missing, and names a record that is there; its number."""
    path = state / "sync.json"
    if not path.exists():
        return 0
    mark = json.loads(path.read_bytes())["streams"]["line"]
    with Archive(state / "line.db") as archive:
        assert (mark["epoch"], mark["hash"]) == (archive.epoch, archive.last_hash(mark["seq"]))
    return int(mark["seq"])


@pytest.mark.broker
@pytest.mark.slow
def test_persons_and_delivery(tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker") as broker:
        recorded = run_with_persons(tmp_path, broker.url)
    most_said = furthest = 0
    with scratch(tmp_path) as folder:
        for number, top, said in cuts(recorded, CUTS_WITH_PERSONS, folder):
            state = top / recorded.state
            line = record_of(state / "line.db", "line")
            queue = record_of(state / "queue.db", "queue")
            assert of_the_line(said) <= line.keys(), f"power cut {number}"
            furthest = max(furthest, check_position(state, line))
            bodies = [json.loads(body) for body in line]
            promised = check_promises(said, bodies, [json.loads(body) for body in queue])
            most_said = max(most_said, promised)
            if number % EACH_RESTARTED == 0:
                check_promises(said, restart(recorded, top), [json.loads(body) for body in queue])
    assert most_said >= 8
    assert furthest > 20


KEEP = """
import os, sys
from pathlib import Path
from edge.store.images import ImageStore
top = Path(sys.argv[1])
if sys.argv[2] == "killed":
    os.makedirs(top / "images/2026-11-20/12")
else:
    print(ImageStore(top).keep("x", 1795176000.0, b"picture").path, flush=True)
"""


def test_folders_whose_maker_was_killed_before_it_could_sync_them(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    faults = Faults(tmp_path / "faults", top, record=True)
    for word in ("killed", "then"):
        command = [sys.executable, "-c", KEEP, str(top), word]
        done = subprocess.run(command, env=faults.environment, stdout=subprocess.PIPE, check=True)
    disk = Disk(top)
    for event in faults.events():
        disk.take(event)
    path = done.stdout.decode().strip()
    assert path.startswith("images/2026-11-20/12/")
    assert {disk.after_power_cut(seed).get(path) for seed in range(50)} == {b"picture"}
