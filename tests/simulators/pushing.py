"""A fleet that pushes real bundles to one station: broker, keys, signed packs, pieces."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inference import bundle as bundles
from inference.archive import as_zip
from inference.bundle import Bundle
from inference.manifest import Manifest
from sync.assignment import BundleFile
from sync.topics import Station
from sync.want import piece_size
from tests.simulators.broker import Broker
from tests.simulators.fleet import Fleet
from tests.simulators.signer import Signer, assignment_of

SIZE = 5_000_000


def heavy(folder: Path, manifest: Manifest, model: bytes, size: int = SIZE) -> Bundle:
    """A bundle whose model's file has `size` bytes that no zip makes smaller. What comes behind the
    graph is not part of it, as with the files that TFLite's metadata writer appends."""
    filler = random.Random(f"{folder.name} {manifest.version}").randbytes(size - len(model))
    return bundles.write(folder, manifest, model + filler)


def file_of(made: Bundle) -> tuple[BundleFile, bytes]:
    """What the fleet says of a bundle's file, and the file."""
    data = as_zip(made)
    piece = piece_size(len(data))
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    file = BundleFile(
        name=made.name,
        version=made.version,
        digest=made.digest,
        path=f"bundles/{made.name}-{made.version}-{made.digest[:12]}.zip",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        piece=piece,
        pieces=tuple(hashlib.sha256(one).hexdigest() for one in pieces),
    )
    return file, data


class Pusher:
    """The fleet of one station. `serial` is that of its newest word; `root` its first root.

    While `withheld` is a number of a piece, that piece is sent to nobody: no transfer gets whole.
    """

    def __init__(self, folder: Path, station: str) -> None:
        self.station = station
        self.broker = Broker(folder / "broker")
        self.broker.start()
        self.fleet = Fleet(self.broker.url)
        self.fleet.spoil = lambda number, data: None if number == self.withheld else data
        self.withheld: int | None = None
        self.serial = 0
        self._files: dict[str, BundleFile] = {}
        self._signer = Signer(at=time.time() - 60)
        self.root = folder / "root.json"
        self.root.write_bytes(self._signer.roots[0])

    def say(self, made: Bundle, **changes: Any) -> None:
        """A new word on this bundle; see sync/assignment.py for what it may say."""
        file = self.file(made)
        self.serial += 1
        said = assignment_of(self.station, self.serial, file, self._signer.at, **changes)
        self._signer.assign(said)
        self.fleet.assign(Station.parse(self.station), self._signer.pack(self.station))

    def file(self, made: Bundle) -> BundleFile:
        """A bundle as it is sent; from now on stations may ask for it."""
        if made.digest not in self._files:
            file, self.fleet.files[file.sha256] = file_of(made)
            self._files[made.digest] = file
        return self._files[made.digest]

    def step(self) -> None:
        """Take in and answer what came, or wait a moment for it."""
        self.fleet.step(time.monotonic())
        self.fleet.transport.wait(0.01)

    def close(self) -> None:
        """Leave, with the broker."""
        self.fleet.close()
        if self.broker.running:
            self.broker.kill()


@contextmanager
def pushing(folder: Path, station: str) -> Iterator[Pusher]:
    """The fleet, gone at the end."""
    pusher = Pusher(folder, station)
    try:
        yield pusher
    finally:
        pusher.close()


def until(pusher: Pusher, condition: Callable[[], object], seconds: float, what: str = "") -> None:
    """Let the fleet work until the condition holds. Fails loudly after a time that no healthy
    machine needs."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s: {what}"
        pusher.step()
