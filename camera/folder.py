"""Pictures in a folder, as a source: in order of their names, each once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from camera.decode import decode
from camera.frame import Doubt, Frame
from camera.source import CameraError, Clock, Source

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})


class FolderSource(Source):
    """Every picture below `path`, in the order of the relative paths, again and again with `loop`.

    A file counts by its name's ending; hidden files and folders do not. Each Frame keeps the file's
    bytes as `encoded` and has the tag `file`, the path below the folder. A file that cannot be read
    or decoded is a Frame without image and with a doubt. With `label_from_folder` the first folder
    says the truth: `good/…` is "good", `defect/TYPE/…` is "defect/TYPE", `defect/…` is "defect".
    The list of files is made once, at the first `open`.
    """

    def __init__(
        self,
        path: Path,
        label_from_folder: bool = False,
        loop: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._path = path
        self._label = label_from_folder
        self._loop = loop
        self._clock = clock or Clock()
        self._files: list[PurePosixPath] | None = None
        self._next = 0

    def open(self) -> None:
        """List the files. Raises CameraError when the folder is not there or has no pictures."""
        if self._files is not None:
            return
        if not self._path.is_dir():
            raise CameraError(
                f"{self._path} is not a folder", "set camera.path to a folder with pictures"
            )
        files = sorted(_pictures(self._path), key=lambda file: file.parts)
        if not files:
            endings = " ".join(sorted(SUFFIXES))
            raise CameraError(
                f"no pictures in {self._path}", f"put pictures there, with one of {endings}"
            )
        self._files = files

    def read(self) -> Frame | None:
        """The next file's picture; None behind the last one, without `loop`."""
        if self._files is None:
            raise CameraError(f"{self._path} is not open", "call open() first")
        if self._next >= len(self._files) and not self._loop:
            return None
        file = self._files[self._next % len(self._files)]
        self._next += 1
        return self._frame(file, self._next)

    def close(self) -> None:
        """Nothing to let go: the next picture stays the next one."""

    def view(self) -> dict[str, object]:
        """The folder: what its pictures show is known by whoever put them there."""
        return {"source": "folder", "path": str(self._path)}

    def _frame(self, file: PurePosixPath, number: int) -> Frame:
        taken_ns, wall = self._clock.monotonic_ns(), self._clock.wall()
        data: bytes | None
        try:
            data = (self._path / file).read_bytes()
        except OSError:
            data = None
        image, doubts = (None, (Doubt("unreadable"),)) if data is None else decode(data)
        return Frame(
            image=image,
            monotonic_ns=taken_ns,
            captured_at=wall,
            number=number,
            encoded=data,
            truth=truth_of(file) if self._label else None,
            tags={"file": str(file)},
            doubts=doubts,
        )


def truth_of(file: PurePosixPath) -> str | None:
    """What a labelled folder says about a file: "good", "defect", "defect/TYPE", or None."""
    if len(file.parts) < 2 or file.parts[0] not in ("good", "defect"):
        return None
    if file.parts[0] == "good" or len(file.parts) == 2:
        return file.parts[0]
    return f"defect/{file.parts[1]}"


def _pictures(folder: Path) -> Iterator[PurePosixPath]:
    for path in folder.rglob("*"):
        relative = PurePosixPath(path.relative_to(folder).as_posix())
        hidden = any(part.startswith(".") for part in relative.parts)
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            yield relative
