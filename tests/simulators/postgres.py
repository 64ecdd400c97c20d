"""A real PostgreSQL on a free port, to be stopped, killed and started again."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.simulators.broker import free_port

START_WITHIN_S = 60.0
ROLE = "fleet"


def find_programs() -> Path | None:
    """The folder of `initdb` and `postgres`, the newest version; None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    return Path(elsewhere).resolve().parent if elsewhere else None


class Postgres:
    """One server; port and data stay the same over restarts.

    With `durable` it commits as in a plant. Without, it waits for no disk: what it has committed
    outlives its own death all the same, but not a power cut. PostgreSQL does not run as root: then
    its files belong to an unprivileged user.
    """

    def __init__(self, durable: bool = True) -> None:
        programs = find_programs()
        if programs is None:
            raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
        self.folder = Path(tempfile.mkdtemp(prefix="edge-inspect-postgres-"))
        self.port = free_port()
        self._programs = programs
        self._durable = durable
        self._user = _unprivileged() if os.geteuid() == 0 else getpass.getuser()
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, self._user)
        self._call(
            "initdb",
            "-D",
            "data",
            "-U",
            ROLE,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            *([] if durable else ["-N"]),
        )

    @property
    def running(self) -> bool:
        """Whether the server lives."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres") -> str:
        """The address of a database, for SQLAlchemy."""
        return f"postgresql://{ROLE}@127.0.0.1:{self.port}/{database}"

    def create(self) -> str:
        """Make a fresh database; its address."""
        name = f"fleet_{uuid.uuid4().hex[:12]}"
        self._call("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", ROLE, name)
        return self.url(name)

    def start(self) -> None:
        """Start, and return when it takes connections. After a kill it recovers first."""
        end = time.monotonic() + START_WITHIN_S
        while not self._ready():
            if time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            if (
                not self.running
            ):  # the first attempts after a kill meet what is left of its children
                self._spawn()
            self._process_wait(0.05)

    def stop(self) -> None:
        """End it in good order; clients are sent away."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it at once: what was not committed is gone."""
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        """End it and delete its files."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self) -> None:
        listen = ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-k", str(self.folder)]
        listen += [] if self._durable else ["-c", "fsync=off"]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", "data", *listen],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as_user(),
            )

    def _ready(self) -> bool:
        command = ["-h", "127.0.0.1", "-p", str(self.port), "-t", "1", "-q"]
        return (
            self.running
            and not subprocess.run(
                [str(self._programs / "pg_isready"), *command], check=False
            ).returncode
        )

    def _process_wait(self, seconds: float) -> None:
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_WITHIN_S)
            self._process = None

    def _call(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            **self._as_user(),
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr[-2000:]}")

    def _as_user(self) -> dict[str, object]:
        if os.geteuid() != 0:
            return {}
        return {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}


def _unprivileged() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _version(path: Path) -> tuple[int, ...]:
    digits = path.parent.parent.name.split(".")
    return tuple(int(one) if one.isdigit() else 0 for one in digits)


@contextmanager
def running_postgres(durable: bool = True) -> Iterator[Postgres]:
    """A server that is started now and gone at the end."""
    server = Postgres(durable)
    try:
        server.start()
        yield server
    finally:
        server.remove()
