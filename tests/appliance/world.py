"""A plant in which years may pass: a broker, a fleet with its commands and services, and one
station with its own. Each side has a clock that the test sets; all of it is real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from sqlalchemy.engine import Connection
from typer.testing import CliRunner

from edge.cli.errors import CHECK_FAILED
from edge.cli.main import app
from edge.status import of_service
from inference import bundle
from inference.bundle import Bundle
from sync.fleet.database import Database, DatabaseError
from sync.fleet.overview import overview
from sync.fleet.rollout_tables import assignments, members
from sync.fleet.standing import Standing
from tests.appliance.station import config_of, rows, station
from tests.faults.preload import Faults
from tests.inference import bundles
from tests.simulators.broker import Broker, free_port
from tests.simulators.patience import until as until_step
from tests.simulators.pki import Authority, Issued, listener
from tests.simulators.tflite import bright_is_good

HERE = "plant/line/station"
DAY = 86_400.0
SIZE = {"width": 160, "height": 120}
CAMERA = {"source": "synthetic", "seed": 3, "parts_per_second": 25, **SIZE}
PROBATION = {"min_parts": 5, "trial_parts": 5, "shadow_share": 1.0}


def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait for other processes, and leave them the processor."""
    pause = threading.Event()
    try:
        until_step(condition, lambda: pause.wait(0.1))
    except AssertionError as error:
        raise AssertionError(f"waited too long for {what}") from error


class World:
    """`days` and `station_days` set the clocks; both begin right and synchronised. `sections` are
    those of the station's configuration."""

    def __init__(
        self,
        folder: Path,
        database: str | None = None,
        authority: Authority | None = None,
        server: Issued | None = None,
        **sections: Any,
    ) -> None:
        self.folder = folder
        self.fleet_time, self.station_time = Faults(folder / "there"), Faults(folder / "here")
        for clock in (self.fleet_time, self.station_time):
            clock.synchronise(True)
        self.passed = 0.0
        self.database = database or f"sqlite:///{folder}/fleet.db"
        self.repository = folder / "repository"
        self.inside: Callable[[list[str]], list[str]] = list
        port = free_port()
        tls = listener(port, authority, server) if authority and server else ()
        self.broker = Broker(folder / "broker", tls, self.fleet_time.environment)
        self.url = f"mqtts://127.0.0.1:{port}" if tls else self.broker.url
        self.broker.start()
        self.login: list[str] = []
        self._log = open(folder / "log", "ab")  # noqa: SIM115
        self._running: dict[str, subprocess.Popen[Any]] = {}
        self._opened: Database | None = None
        # made before the first `serve`, so that a command beside its start finds a database
        self.fleet("init", str(self.repository), "--database", self.database)
        where = ("--repository", str(self.repository))
        self.fleet("keys", "export-root", *where, "--out", str(folder / "root.json"))
        sync = {"broker": self.url, "trust_root_file": "root.json", **sections.pop("sync", {})}
        camera = sections.pop("camera", CAMERA)
        given = {"decision": {"automation": "partial"}, "rollout": PROBATION} | sections
        given = {"storage": {"images": "none"}} | given
        self.settings = station(folder, camera, sync=sync, **given)
        self.state_dir = config_of(self.settings).state_dir

    # Time

    def days(self, number: float) -> None:
        """It is so many days later everywhere."""
        self.passed += number
        self.fleet_time.shift_clock(self.passed * DAY)
        self.station_time.shift_clock(self.passed * DAY)

    def station_days(self, number: float, synced: bool) -> None:
        """The station's clock is off by so much, and says that it is synchronised or is not."""
        self.station_time.synchronise(synced)
        self.station_time.shift_clock((self.passed + number) * DAY)

    # Processes

    def begin(self, *names: str) -> None:
        """Start some of: serve (or serve2), line, sync."""
        for name in names:
            self._running[name] = self._start(name)
        for name in names:
            if not name.startswith("serve"):
                pid = self._running[name].pid
                until(lambda n=name, p=pid: self.status(n).get("pid") == p, name)  # type: ignore[misc]

    def end(self, *names: str) -> None:
        """In good order."""
        for name in names:
            process = self._running.pop(name)
            process.terminate()
            assert process.wait(60) == 0, name

    def kill(self, name: str) -> None:
        """At once."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def close(self) -> None:
        """Nothing is left."""
        for name in list(self._running):
            self.kill(name)
        if self.broker.running:
            self.broker.kill()
        if self._opened is not None:
            self._opened.close()
        self._log.close()

    def command(self, *words: str, well: tuple[int, ...] = (0,)) -> str:
        """A command at the station; what it printed."""
        done = CliRunner().invoke(app, [*words, "--config", str(self.settings)])
        assert done.exit_code in well, (words, done.output, done.exception)
        return done.stdout

    def ordered(self, *words: str) -> str:
        """A command at the fleet's machine, by its clock; what it printed."""
        command = [sys.executable, "-m", "edge", "fleet", *words]
        done = subprocess.run(
            command, env=self.fleet_time.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, CHECK_FAILED), (words, done.stdout, done.stderr)
        return done.stdout

    def fleet(self, *words: str) -> str:
        """The same within this process, at the true time."""
        done = CliRunner().invoke(app, ["fleet", *words])
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stdout

    def configure(self, **sections: Any) -> None:
        """Sections of the station's configuration, for the next start."""
        content = yaml.safe_load(self.settings.read_text())
        self.settings.write_text(yaml.safe_dump(content | sections))

    # Models

    def model(self, version: str, padding: int = 0) -> Bundle:
        """The same model under another version, with so many bytes of nothing."""
        made = bright_is_good("int8", metadata=os.urandom(padding) if padding else None)
        manifest = bundles.manifest(version=version)
        return bundle.write(self.folder / f"bright-{version}", manifest, made)

    def push(self, version: str, *words: str, padding: int = 0) -> str:
        """To the station, blue-green; the roll-out's name."""
        made = self.model(version, padding)
        who = ("--by", "k.ito", "--reason", "a test", "--skip-proof", "--json")
        least = ("--strategy", "blue-green", "--min-parts", "5", "--to", HERE)
        said = self.ordered(
            "push", str(made.root), *least, "--not-trained-on-station-pictures", *who,
            "--repository", str(self.repository), "--database", self.database, *words,
        )  # fmt: skip
        return str(json.loads(said)["rollout"])

    # What is said

    def status(self, name: str = "line") -> dict[str, Any]:
        """What a service of the station says of itself."""
        return dict(of_service(config_of(self.settings), name).content)

    @property
    def models(self) -> dict[str, Any]:
        """What the line says of its models."""
        found = self.status().get("rollout")
        return found if isinstance(found, dict) else {}

    @property
    def running(self) -> str:
        """The version that decides."""
        return str((self.models.get("running") or {}).get("version"))

    @property
    def refusal(self) -> str | None:
        """The code for which sync did not take the fleet's newest word."""
        found = (self.status("sync").get("models") or {}).get("refusal")
        return str(found["code"]) if found else None

    @property
    def delivery(self) -> dict[str, Any]:
        """What sync says of the file."""
        return dict(self.status("sync").get("models") or {})

    def records(self, schema: str) -> list[dict[str, Any]]:
        """All of one kind that the line has made, in order."""
        made = [json.loads(row.body) for row in rows(self.settings)]
        return [record for record in made if record["schema"] == schema]

    def stamp(self) -> int:
        """The version of the timestamp that vouches for the station."""
        with self._reading() as connection:
            return int(connection.execute(sa.select(assignments.c.signed)).scalar() or 0)

    def rollouts(self) -> dict[str, list[str]]:
        """The states of the members, by roll-out."""
        found: dict[str, list[str]] = {}
        with self._reading() as connection:
            for row in connection.execute(sa.select(members.c.rollout, members.c.state)):
                found.setdefault(row.rollout, []).append(row.state)
        return found

    def waits(self) -> None:
        """Wait until its candidate lacks labelled pictures."""
        until(
            lambda: (self.models.get("candidate") or {}).get("state") == "needs_calibration",
            "needs_calibration",
        )

    def runs(self, version: str) -> None:
        """Wait until the station decides by this version."""
        until(lambda: self.running == version, f"{version} to run")

    def refuses(self, code: str | None) -> None:
        """Wait until the fleet's newest word is refused by this name, or by none."""
        until(lambda: self.refusal == code, f"the refusal {code}")

    def told(self, word: str) -> str:
        """Wait until `fleet status` tells this of the station, then have it said to a person."""
        until(lambda: word in self.names(), f"the fleet to say {word}")
        return self.ordered("status", "--database", self.database)

    def names(self) -> list[str]:
        """What `fleet status` has for the station: names of troubles, states."""
        found = self.standing()
        if found is None:
            return []
        candidate = found.candidate.state if found.candidate else ""
        member = found.member.state if found.member else ""
        runs = found.running.version if found.running else ""
        return [*(one.name for one in found.troubles), candidate, member, runs]

    def standing(self) -> Standing | None:
        """As `fleet status` reads it."""
        try:
            with self._reading() as connection:
                now = time.time() + self.passed * DAY
                found = overview(connection, now, (HERE,)).stations
        except DatabaseError:
            return None
        return found[0] if found else None

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if self._opened is None:
            self._opened = Database(self.database, read_only=True)
        with self._opened.transaction() as connection:
            yield connection

    def _start(self, name: str) -> subprocess.Popen[Any]:
        if name.startswith("serve"):
            words = ["fleet", "serve", "--broker", self.url, "--database", self.database]
            words += ["--repository", str(self.repository), *self.login]
            clock, command = self.fleet_time, [sys.executable, "-m", "edge", *words]
        else:
            word = {"line": "run"}.get(name, name)
            command = [sys.executable, "-m", "edge", word, "--config", str(self.settings)]
            clock, command = self.station_time, self.inside(command)
        out = {"stdout": self._log, "stderr": self._log}
        return subprocess.Popen(command, env=clock.environment, **out)


@contextmanager
def world(folder: Path, **more: Any) -> Iterator[World]:
    """One that is gone at the end."""
    made = World(folder, **more)
    try:
        yield made
    finally:
        made.close()
