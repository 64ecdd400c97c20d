"""The files of a bundle, read from a directory or a zip with limits on count and size, and
written so that a power cut leaves either all of them or none."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Protocol

LARGEST_FILE = 256 * 2**20
LARGEST_BUNDLE = 512 * 2**20
MOST_FILES = 2000
LARGEST_INDEX = 2**20
"""Bytes of a zip's list of files: enough for MOST_FILES, and read whole before anything else."""
_END, _END_SIZE, _FAR_END = b"PK\5\6", 22, b"PK\6\7"
# What zipfile raises on damaged, encrypted or unknown entries.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


class Unsafe(OSError):
    """Files that nobody packs by mistake: names that lead elsewhere, links, sizes beyond limits.

    `code` is `unsafe` or `oversized`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


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
        """Relative paths with `/`, sorted, at most MOST_FILES and LARGEST_BUNDLE bytes."""
        found: list[str] = []
        size = 0
        for path in self._root.rglob("*"):
            if path.is_file():
                found.append(path.relative_to(self._root).as_posix())
                size += path.stat().st_size
            if len(found) > MOST_FILES:
                raise Unsafe("oversized", f"more than {MOST_FILES} files in {self._root}")
        if size > LARGEST_BUNDLE:
            raise Unsafe("oversized", f"more than {LARGEST_BUNDLE} bytes in {self._root}")
        return sorted(found)

    def read(self, name: str) -> bytes:
        """One file whole. Raises OSError, also when it is too large or lies elsewhere."""
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise Unsafe("unsafe", f"{name} lies outside {self._root}")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        return _limited(name, content)


class ZipFiles:
    """The files of a zip; one folder around them all is looked through.

    Nothing is unpacked before the list of files was looked at: their number, their sizes in all,
    and every name. Raises OSError for a damaged one, Unsafe for one that asks for trouble.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        _check_index(path)
        try:
            with zipfile.ZipFile(path) as archive:
                found = archive.infolist()
        except _DAMAGE as error:
            raise OSError(f"{path} is not a sound zip: {error}") from error
        entries = [entry.filename for entry in found if not entry.is_dir()]
        _check_entries(path, found)
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


def open_files(path: Path) -> BundleFiles:
    """What is at `path`, a folder or a zip. Raises OSError."""
    return DirectoryFiles(path) if path.is_dir() else ZipFiles(path)


def _check_index(path: Path) -> None:
    """Look at the end of a zip, before `zipfile` reads a list of files of any length."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size > LARGEST_BUNDLE:
            raise Unsafe("oversized", f"{path} is larger than {LARGEST_BUNDLE} bytes")
        file.seek(max(0, size - _END_SIZE - 2**16 - 20))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise OSError(f"{path} is not a sound zip: it has no end, so it may be cut off")
    (index,) = struct.unpack_from("<I", tail, at + 12)
    if index > LARGEST_INDEX or tail[max(0, at - 20) : at].startswith(_FAR_END):
        raise Unsafe("oversized", f"the list of files in {path} is too long for a bundle")


def _check_entries(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_FILES:
        raise Unsafe("oversized", f"more than {MOST_FILES} files in {path}")
    if sum(entry.file_size for entry in entries) > LARGEST_BUNDLE:
        raise Unsafe("oversized", f"{path} unpacks to more than {LARGEST_BUNDLE} bytes")
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename
        where = PurePosixPath(name)
        if where.is_absolute() or ".." in where.parts or "\\" in name or "\0" in name:
            raise Unsafe("unsafe", f"{path} has a file named {name!r}, which leads out of it")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise Unsafe("unsafe", f"{name!r} in {path} is a link or a device, not a file")
        if name in seen:
            raise Unsafe("unsafe", f"{name!r} is twice in {path}")
        seen.add(name)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a new folder with these files. All of it is on disk when this returns; before that
    nothing is at `folder`. Raises FileExistsError when something is there."""
    if folder.exists():
        raise FileExistsError(f"{folder} is there already")
    _make(folder.parent)
    temporary = folder.parent / f".{folder.name}.{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for name, content in files.items():
            path = temporary / name
            _make(path.parent)
            write_file(path, content)
        temporary.rename(folder)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(folder.parent)


def _make(folder: Path) -> None:
    """Make a folder and its missing parents; their names are on disk when this returns."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(exist_ok=True)
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
        raise Unsafe("oversized", f"{name} is larger than {LARGEST_FILE} bytes")
    return content
