"""A real mosquitto on a free port, to be stopped, killed, wiped and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
START_WITHIN_S = 20.0


class Broker:
    """One mosquitto; the port stays the same over restarts.

    A clean `stop` keeps sessions, queues and retained messages; `kill` loses what was not saved;
    `wipe` forgets all. `settings` are further lines of its configuration, before the listener's;
    `environment` is what the process sees.
    """

    def __init__(
        self,
        folder: Path,
        settings: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = settings
        self._environment = environment

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the process, which must run."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and return when it listens."""
        assert not self.running
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "mosquitto.conf"
        path.write_text("\n".join(self._configuration()) + "\n")
        with open(self.folder / "mosquitto.log", "ab") as log:
            self._process = subprocess.Popen(
                [MOSQUITTO, "-c", str(path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        end = time.monotonic() + START_WITHIN_S
        while not self._listens():
            if not self.running or time.monotonic() > end:
                raise RuntimeError((self.folder / "mosquitto.log").read_text()[-2000:])

    def stop(self) -> None:
        """Ask it to end, and wait; what it holds is saved."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start again."""
        self.stop()
        self.start()

    def wipe(self) -> None:
        """Forget everything that was saved. Only while it does not run."""
        assert not self.running
        shutil.rmtree(self.folder / "store", ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_WITHIN_S)
            self._process = None

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except OSError:
            return False
        return True

    def _configuration(self) -> list[str]:
        store = self.folder / "store"
        store.mkdir(exist_ok=True)
        return [
            # Started as root it would change to a user who may not write here.
            *(["user root"] if os.geteuid() == 0 else []),
            "persistence true",
            f"persistence_location {store}/",
            "autosave_interval 3600",
            "max_queued_messages 0",
            "set_tcp_nodelay true",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            *self._settings,
            f"listener {self.port} 127.0.0.1",
            *([] if any("allow_anonymous" in line for line in self._settings) else ANONYMOUS),
        ]


ANONYMOUS = ["allow_anonymous true"]


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_broker(folder: Path, settings: tuple[str, ...] = ()) -> Iterator[Broker]:
    """A broker that is started now and gone at the end."""
    broker = Broker(folder, settings)
    broker.start()
    try:
        yield broker
    finally:
        if broker.running:
            broker.kill()
