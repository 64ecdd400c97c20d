"""The files of a bundle, read from a directory or a zip with limits on count and size, and
written so that a power cut leaves either all of them or none."""

from __future__ import annotations

import os
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

LARGEST_FILE = 256 * 2**20
MOST_FILES = 2000
# What zipfile raises on damaged, encrypted or unknown entries.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


class BundleFiles(Protocol):
    """Where a bundle's files are."""

    def names(self) -> list[str]:
        """Relative paths with `/`, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """One file whole. Raises OSError."""
        ...


class DirectoryFiles:
    """The files below a directory; symbolic links that lead out of it are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def names(self) -> list[str]:
        """Relative paths with `/`, sorted, at most MOST_FILES."""
        found: list[str] = []
        for path in self._root.rglob("*"):
            if path.is_file():
                found.append(path.relative_to(self._root).as_posix())
            if len(found) > MOST_FILES:
                raise OSError(f"more than {MOST_FILES} files in {self._root}")
        return sorted(found)

    def read(self, name: str) -> bytes:
        """One file whole. Raises OSError, also when it is too large or lies elsewhere."""
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise OSError(f"{name} lies outside {self._root}")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        return _limited(name, content)


class ZipFiles:
    """The files of a zip; one folder around them all is looked through."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                entries = [e.filename for e in archive.infolist() if not e.is_dir()]
        except _DAMAGE as error:
            raise OSError(f"{path} is not a sound zip: {error}") from error
        if len(entries) > MOST_FILES:
            raise OSError(f"more than {MOST_FILES} files in {path}")
        tops = {entry.partition("/")[0] for entry in entries}
        wrapped = len(tops) == 1 and all("/" in entry for entry in entries)
        self._prefix = f"{tops.pop()}/" if wrapped else ""
        self._names = sorted(entry[len(self._prefix) :] for entry in entries)

    def names(self) -> list[str]:
        """Relative paths with `/`, sorted."""
        return list(self._names)

    def read(self, name: str) -> bytes:
        """One file whole. Raises OSError, also when it is too large or damaged."""
        try:
            with zipfile.ZipFile(self._path) as archive, archive.open(self._prefix + name) as file:
                return _limited(name, file.read(LARGEST_FILE + 1))
        except KeyError as error:
            raise FileNotFoundError(f"no {name} in {self._path}") from error
        except _DAMAGE as error:
            raise OSError(f"{name} in {self._path} is damaged: {error}") from error


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a new folder with these files. All of it is on disk when this returns; before that
    nothing is at `folder`. Raises FileExistsError when something is there."""
    if folder.exists():
        raise FileExistsError(f"{folder} is there already")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.parent / f".{folder.name}.{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for name, content in files.items():
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, content)
        temporary.rename(folder)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(folder.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write one file by way of a temporary one; on disk when this returns."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put a folder's list of names on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _limited(name: str, content: bytes) -> bytes:
    if len(content) > LARGEST_FILE:
        raise OSError(f"{name} is larger than {LARGEST_FILE} bytes")
    return content
