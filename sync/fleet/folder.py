"""The folder of a repository: settings, keys, and a copy of what the offline keys have signed.

repository.json     whose repository it is
keys/               key pairs; the private ones may be moved elsewhere, but for the online two
root/N.root.json    every root; root/targets.json: the newest list of bundles
requests/, orders/  what commands leave for `fleet serve`
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sync.durable import replace_file
from sync.fleet import metadata
from sync.fleet.keys import KeysError, PublicKey, Ring, make

SCHEMA = "repository/1"
ONLINE_KEY, ASSIGNING_KEY = "online", "assignments"


class RepositoryError(Exception):
    """The repository cannot do that; what a person can do is in `mend`."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Founding:
    """How a repository begins: so many keys of persons, of which so many must sign together."""

    root_keys: int = 1
    root_threshold: int = 1
    targets_keys: int = 1
    targets_threshold: int = 1


@dataclass(frozen=True, slots=True)
class Folder:
    """One such folder, that is there."""

    path: Path

    @property
    def keys(self) -> Path:
        """Where key pairs are."""
        return self.path / "keys"

    @property
    def settings(self) -> Path:
        """The file that makes it a repository's."""
        return self.path / "repository.json"

    @property
    def requests(self) -> Path:
        """Where `fleet serve` looks for requests."""
        return self.path / "requests"

    @property
    def orders(self) -> Path:
        """Orders and bundles that requests speak of."""
        return self.path / "orders"

    def ring(self, more: Sequence[Path] = (), passphrase: bytes | None = None) -> Ring:
        """The keys here, and those in other places."""
        return Ring((self.keys, *more), passphrase)

    def check(self) -> None:
        """Raises RepositoryError where this is no repository's folder."""
        try:
            content = json.loads(self.settings.read_bytes())
            fits = content["schema"] == SCHEMA
        except (OSError, ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise RepositoryError(f"{self.path} is no repository", "edge-inspect fleet init DIR")

    def roots(self) -> dict[int, bytes]:
        """Every root that is here, by version. Raises RepositoryError where there is none."""
        files = (self.path / "root").glob("*.root.json")
        found = {int(file.name.split(".")[0]): file.read_bytes() for file in files}
        if sorted(found) != list(range(1, len(found) + 1)) or not found:
            raise RepositoryError(
                f"{self.path}/root does not hold every root from 1 on", "restore it from a backup"
            )
        return found

    def targets(self) -> bytes:
        """The newest list of bundles that is here. Raises RepositoryError."""
        try:
            return (self.path / "root" / "targets.json").read_bytes()
        except OSError as error:
            raise RepositoryError(f"{error}", "restore it from a backup") from error

    def keep(self, roots: Mapping[int, bytes], targets: bytes) -> None:
        """Copy what is not here yet. A folder that is not ours to write stays as it is."""
        wanted = {f"{version}.root.json": body for version, body in roots.items()}
        for name, body in {**wanted, "targets.json": targets}.items():
            file = self.path / "root" / name
            try:
                if not file.exists() or file.read_bytes() != body:
                    replace_file(file, body, 0o644)
            except OSError:
                return


def found(path: Path, founding: Founding, at: float, passphrase: bytes | None = None) -> Folder:
    """Make a new repository's folder, with new keys; root and targets are signed by all of them.

    `repository.json` is written last: what a power cut leaves before is no repository, and may be
    removed. Raises RepositoryError, KeysError, OSError.
    """
    if path.exists() and any(path.iterdir()):
        raise RepositoryError(f"{path} is not empty", "name a folder that is not there yet")
    folder = Folder(path)
    for made in (path, folder.keys, path / "root", folder.requests, folder.orders):
        made.mkdir(mode=0o750 if made != folder.keys else 0o700, parents=True, exist_ok=True)
    roots = _make_keys(folder, "root", founding.root_keys, passphrase)
    targets = _make_keys(folder, "targets", founding.targets_keys, passphrase)
    online = make(folder.keys, ONLINE_KEY)
    assigning = make(folder.keys, ASSIGNING_KEY)
    keys = {"root": roots, "targets": targets, "snapshot": [online], "timestamp": [online]}
    thresholds = {"root": founding.root_threshold, "targets": founding.targets_threshold}
    try:
        root = metadata.first_root(keys, thresholds, at)
    except metadata.MetadataError as error:
        raise RepositoryError(str(error), "ask for fewer signatures, or more keys") from error
    listed = metadata.first_targets(assigning, at)
    ring = folder.ring(passphrase=passphrase)
    metadata.sign(root, ring.signers(key.keyid for key in roots))
    metadata.sign(listed, ring.signers(key.keyid for key in targets))
    folder.keep({1: metadata.to_bytes(root)}, metadata.to_bytes(listed))
    settings = {"schema": SCHEMA, "id": str(uuid.uuid4())}
    replace_file(folder.settings, json.dumps(settings).encode())
    return folder


def _make_keys(folder: Folder, role: str, count: int, passphrase: bytes | None) -> list[PublicKey]:
    if not 1 <= count <= 20:
        raise KeysError(f"{count} keys for {role}", "make 1 to 20")
    return [make(folder.keys, f"{role}-{number + 1}", passphrase) for number in range(count)]
