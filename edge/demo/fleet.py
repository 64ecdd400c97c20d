"""The fleet's side of the demo: a repository with its keys, `fleet serve`, a poisoned bundle."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from edge.demo.poison import write_poisoned
from edge.files import write_atomically

MIN_PARTS, TRIAL_PARTS = 30, 60
"""Few: a person looks on. Guards that judge so early miss more than those of a real line."""


def possible() -> bool:
    """Whether the packages of the fleet's side are installed."""
    try:
        import sync.fleet.database  # noqa: F401 - only to see
    except ModuleNotFoundError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class FleetDemo:
    """Where everything of the fleet is, in the demo's folder."""

    folder: Path

    @property
    def repository(self) -> Path:
        """Keys and signed documents."""
        return self.folder / "repository"

    @property
    def root_file(self) -> Path:
        """What the station trusts."""
        return self.folder / "root.json"

    @property
    def database(self) -> str:
        """What was collected and ordered."""
        return f"sqlite:///{self.folder / 'fleet.db'}"

    @property
    def poisoned(self) -> Path:
        """The bundle that nobody should want."""
        return self.folder / "poisoned"

    @property
    def labelled(self) -> Path:
        """Labelled pictures of the line."""
        return self.folder / "labelled"

    def prepare(self) -> None:
        """Make what is not there yet. Raises OSError."""
        from sync.fleet.folder import Folder, Founding, found

        if not (self.repository / "repository.json").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            found(self.repository, Founding(), time.time())
        roots = Folder(self.repository).roots()
        write_atomically(self.root_file, roots[max(roots)], 0o644)
        if not self.poisoned.exists():
            write_poisoned(self.poisoned)

    def command(self, broker_port: int) -> list[str]:
        """What starts its service."""
        broker = f"mqtt://127.0.0.1:{broker_port}"
        places = ["--repository", str(self.repository), "--database", self.database]
        return [sys.executable, "-m", "edge", "fleet", "serve", *places, "--broker", broker]

    def push(self, bundle: str) -> str:
        """What a person types, after `edge-inspect`, to push a bundle to the demo's station."""
        places = f"--repository {self.short(self.repository)} --database {self._url}"
        limits = f"--min-parts {MIN_PARTS} --not-trained-on-station-pictures"
        return f"fleet push {bundle} --to 'demo/*/*' {places} {limits} --by me --reason try"

    @property
    def status(self) -> str:
        """What a person types, after `edge-inspect`, to watch it."""
        return f"fleet status --database {self._url} --watch"

    def short(self, path: Path) -> str:
        """A path as a person types it here."""
        try:
            return str(path.relative_to(Path.cwd()))
        except ValueError:
            return str(path)

    @property
    def _url(self) -> str:
        return f"sqlite:///{self.short(self.folder / 'fleet.db')}"
