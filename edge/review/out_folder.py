"""The folder of an export: whose it is, its pictures and tables, and what leaves it again."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from edge.files import write_atomically
from edge.picture_file import open_picture
from edge.review.dataset import Example
from edge.review.places import DISPUTED
from edge.review.split import SPLITS
from edge.store.durable import write_synced
from edge.store.errors import StoreError
from sync.gallery import Missing, Wanted

MANIFEST, SCHEMA = "export.json", "export/1"
LABELS_FILE, DISPUTED_FILE = "labels.csv", "disputed.csv"
OURS = (*SPLITS, DISPUTED)
NAME = re.compile(r"^\.?[0-9a-zA-Z_-]+\.[a-z]+(\.part)?$")
CHUNK = 1 << 20
MODE = 0o644


class OutFolder:
    """OUT: empty, not there yet, or an earlier export of the same station. Without a `state_dir`
    pictures come as bytes (`put_data`).

    Raises StoreError for any other folder, for one inside the state directory, and where `new` is
    asked for and it is not empty.
    """

    def __init__(self, path: Path, state_dir: Path | None, station: str, new: bool = False) -> None:
        self.path = path.absolute()
        self._state_dir = state_dir
        if state_dir is not None and self.path.resolve().is_relative_to(state_dir.resolve()):
            raise StoreError(f"{path} is inside the state directory", "name a folder elsewhere")
        if path.exists() and not path.is_dir():
            raise StoreError(f"{path} is no folder")
        if path.is_dir() and any(path.iterdir()):
            _refuse_foreign(path, station)
            if new:
                raise StoreError(
                    f"{path} is not empty", "--new goes into a folder of its own: what is new"
                )

    def begin(self, manifest: Mapping[str, Any]) -> None:
        """Make the folder and say what it is going to be."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._write(MANIFEST, _json({**manifest, "complete": False}))

    def put(self, example: Example, place: PurePosixPath, link: bool) -> None:
        """The picture at its place, if it is what was recorded. Raises Missing, OSError."""
        picture = example.picture
        assert picture is not None
        target = self.path / place
        if not (link and _is(target, picture[1])):
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f".{target.name}.part")
            with suppress(FileNotFoundError):
                partial.unlink()
            wanted = Wanted(example.inspection, *picture)
            (self._link if link else self._copy)(wanted, partial)
            os.replace(partial, target)
        self._note(example, target.with_suffix(".json"))

    def put_data(self, example: Example, place: PurePosixPath, data: bytes) -> None:
        """This picture at its place; the caller has compared it with what was recorded. Raises
        OSError."""
        target = self.path / place
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, data, MODE, durable=False)
        self._note(example, target.with_suffix(".json"))

    def finish(
        self, keep: set[PurePosixPath], tables: Mapping[str, str], manifest: Mapping[str, Any]
    ) -> None:
        """Write the tables, take away what an earlier export had and this one has not, and say that
        it is complete."""
        for name, text in tables.items():
            self._write(name, text)
        for top in OURS:
            for path in sorted((self.path / top).rglob("*"), reverse=True):
                self._tidy(path, keep)
        self._write(MANIFEST, _json({**manifest, "complete": True}))

    def _copy(self, wanted: Wanted, partial: Path) -> None:
        """From the file whose bytes were compared, so that nothing else can come in between."""
        assert self._state_dir is not None
        file = open_picture(self._state_dir, wanted)
        try:
            write_synced(partial, file.read(0, file.size), MODE)
        finally:
            file.close()

    def _link(self, wanted: Wanted, partial: Path) -> None:
        """A second name for the stored file. It is compared under its new name."""
        assert self._state_dir is not None
        open_picture(self._state_dir, wanted).close()
        os.link(self._state_dir / wanted.path, partial, follow_symlinks=False)
        if not _is(partial, wanted.sha256):
            partial.unlink()
            raise Missing(f"{wanted.path} is not what was recorded")

    def _note(self, example: Example, path: Path) -> None:
        """What `edge-inspect calibrate` must know of it: pictures of one part count once."""
        part_id = example.record["part_id"]
        if part_id:
            captured = example.record["captured_at"]
            note = {"schema": "captured/1", "part_id": part_id, "captured_at": captured}
            path.write_text(json.dumps(note) + "\n", encoding="utf-8")
        elif path.exists():
            path.unlink()

    def _tidy(self, path: Path, keep: set[PurePosixPath]) -> None:
        """Take away a file of an earlier export, or a folder that is empty by now."""
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):
                path.rmdir()
            return
        place = PurePosixPath(path.relative_to(self.path).as_posix())
        belongs = place in keep
        if path.suffix == ".json":
            belongs = any(one.with_suffix(".json") == place for one in _beside(place, keep))
        if not belongs and NAME.fullmatch(path.name):
            path.unlink()

    def _write(self, name: str, text: str) -> None:
        write_atomically(self.path / name, text.encode("utf-8"))


def _beside(place: PurePosixPath, keep: set[PurePosixPath]) -> list[PurePosixPath]:
    from edge.review.places import SUFFIXES

    return [found for end in SUFFIXES if (found := place.with_suffix(end)) in keep]


def _refuse_foreign(path: Path, station: str) -> None:
    """Raises StoreError unless this is an earlier export of the station."""
    try:
        found = json.loads((path / MANIFEST).read_bytes())
        if not isinstance(found, dict) or found["schema"] != SCHEMA:
            raise ValueError("no manifest")
        whose = found["station"]
    except (OSError, ValueError, KeyError, RecursionError):
        raise StoreError(
            f"{path} is not empty, and no earlier export", "name an empty folder"
        ) from None
    if whose != station:
        raise StoreError(
            f"{path} is an export of {whose}, this station is {station}", "name another folder"
        )


def _is(path: Path, sha256: str) -> bool:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while data := file.read(CHUNK):
                digest.update(data)
    except OSError:
        return False
    return digest.hexdigest() == sha256


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
