"""The station's own labelled pictures, kept so that every candidate is calibrated on them.

They are the pictures of the calibration that a person put in force last, pinned below `pinned/`
with what is known about them. Which ones are kept, where not all have room, never depends on a
score. Retention counts them and leaves them alone.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from edge.calibrating.gathered import Gathered
from edge.calibrating.pictures import SIDECAR, Labelled, listing, read_labelled
from edge.files import sync_folder, write_atomically
from edge.records import utc
from edge.store.durable import make_directory, write_synced
from edge.store.encoding import HEAD, lossy

FOLDER = "pinned"
ABOUT = "set.json"
SCHEMA = "pinned/1"


@dataclass(frozen=True, slots=True)
class Picture:
    """One to pin: its file, what it shows, and what its name and sidecar said."""

    path: Path
    sha256: str
    kind: str
    type: str | None = None
    part: str | None = None
    taken: float | None = None
    source: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Pinned:
    """What is pinned. `view` is the camera's when it was pinned, `seen` the same in words.

    `left_out` pictures had no room. `good` and `defect` count files, `lossy` those among them that
    are not the pixels that the line had.
    """

    folder: Path
    calibration: str
    view: str
    at: str
    by: str | None
    good: int = 0
    defect: int = 0
    bytes: int = 0
    left_out: int = 0
    lossy: int = 0
    seen: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What `read` reads."""
        return {"schema": SCHEMA, **asdict(self), "folder": self.folder.name}


def of_folder(folder: Path) -> Iterable[Picture]:
    """Every labelled picture of a dataset, also those that a model had no answer about: what
    counts is decided anew for each model. Raises Unusable, OSError."""
    for path in listing(folder)[0]:
        yield _picture(read_labelled(folder, path)[0])


def of_records(gathered: Gathered) -> Iterable[Picture]:
    """The stored pictures of recorded parts that persons gave their word about."""
    known = gathered.samples
    for index, path in enumerate(known.pictures):
        if path is not None and path.exists():
            at = int(known.type_of[index])
            yield Picture(
                path,
                known.sha256[index],
                "defect" if known.defect[index] else "good",
                known.types[at] if at >= 0 else None,
                known.parts[index],
            )


def pin(
    state_dir: Path,
    pictures: Iterable[Picture],
    about: Pinned,
    room: int,
    tell: Callable[[int, int], None] | None = None,
) -> Pinned:
    """Keep these pictures instead of those that are pinned now.

    Good ones and defects in turn, each kind in the order of their hashes, until `room` bytes are
    full. `tell` hears how many of how many are done. After a power cut the set is the old one or
    the new one. Raises OSError.
    """
    place = state_dir / FOLDER
    make_directory(place)
    new = place / f".{about.calibration}"
    shutil.rmtree(new, ignore_errors=True)
    ordered = _in_turns(pictures)
    try:
        made = _fill(new, ordered, about, _Room(room, state_dir / "images"), tell or _silence)
        if made.good + made.defect == 0:
            raise OSError(f"no picture has room in {room} bytes (rollout.pinned_bytes)")
        shutil.rmtree(made.folder, ignore_errors=True)
        new.rename(made.folder)
    except OSError:
        shutil.rmtree(new, ignore_errors=True)
        raise
    sync_folder(place)
    write_atomically(place / ABOUT, json.dumps(made.as_json(), indent=1).encode())
    for other in place.iterdir():
        if other.is_dir() and other != made.folder:
            shutil.rmtree(other, ignore_errors=True)
    return made


def read(state_dir: Path) -> Pinned | None:
    """What is pinned; None where nothing is, or where what is said of it cannot be read."""
    place = state_dir / FOLDER
    try:
        content = json.loads((place / ABOUT).read_bytes())
        if content.pop("schema") != SCHEMA:
            return None
        name = content.pop("folder")
        found = Pinned(folder=place / Path(name).name, **content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return found if found.folder.is_dir() else None


def _picture(found: Labelled) -> Picture:
    shot = found.shot
    return Picture(
        found.path, shot.sha256, found.kind, found.type, shot.part, shot.taken, found.source
    )


def _in_turns(pictures: Iterable[Picture]) -> list[Picture]:
    kinds: dict[str, dict[str, Picture]] = {}
    for one in pictures:
        kinds.setdefault(one.kind, {}).setdefault(one.sha256, one)
    queues: Sequence[list[Picture]] = [
        [found[sha256] for sha256 in sorted(found, reverse=True)] for found in kinds.values()
    ]
    ordered = []
    while any(queues):
        ordered += [queue.pop() for queue in queues if queue]
    return ordered


@dataclass(frozen=True, slots=True)
class _Room:
    """How many bytes there may be, and where the pictures lie that are never written to again."""

    bytes: int
    images: Path


def _fill(
    new: Path, ordered: list[Picture], about: Pinned, room: _Room, tell: Callable[[int, int], None]
) -> Pinned:
    kinds, used, left_out, lost = [], 0, 0, 0
    folders = {new.parent, new}
    for number, one in enumerate(ordered, 1):
        size = one.path.stat().st_size
        if used + size > room.bytes:
            left_out += 1
            continue
        folder = new / one.kind / one.type if one.type else new / one.kind
        folder.mkdir(parents=True, exist_ok=True)
        folders |= {folder, folder.parent}
        _keep(folder, one, room.images)
        kinds.append(one.kind)
        used += size
        with one.path.open("rb") as file:
            lost += lossy(file.read(HEAD))
        tell(number, len(ordered))
    for folder in folders:
        if folder.is_dir():
            sync_folder(folder)
    good, defect = kinds.count("good"), kinds.count("defect")
    folder = new.parent / about.calibration
    return replace(
        about, folder=folder, good=good, defect=defect, bytes=used, left_out=left_out, lossy=lost
    )


def _keep(folder: Path, one: Picture, images: Path) -> None:
    """The picture and its sidecar; on the disk but for their names."""
    path = folder / f"{one.sha256[:32]}{one.path.suffix.lower()}"
    # A second name suffices for the line's own; other people's files may change.
    ours = one.path.resolve().is_relative_to(images.resolve())
    if not (ours and _link(one.path, path)):
        write_synced(path, one.path.read_bytes())
    note = {"schema": SIDECAR, "part_id": one.part, "source": one.source}
    if one.taken is not None:
        note["captured_at"] = utc(one.taken)
    write_synced(path.with_suffix(".json"), json.dumps(note).encode())


def _silence(done: int, of: int) -> None:
    pass


def _link(old: Path, new: Path) -> bool:
    try:
        os.link(old, new)
    except OSError:
        return False
    return True
