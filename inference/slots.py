"""The two places where a station keeps bundles that were sent to it, beside the configured one."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from inference.bundle import CONFIRMED, Bundle, BundleError, load
from inference.files import open_files, sync_folder, write_folder
from inference.seal import SEAL, seal

SLOTS = ("a", "b")


class Slots:
    """Bundles below `folder`, one in each slot. For one writer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, slot: str) -> Path:
        """Where a slot's bundle lies, if there is one."""
        assert slot in SLOTS, slot
        return self._folder / slot

    def free(self, taken: Iterable[str | None]) -> str:
        """The first slot that is none of these, else the last one: what lies there is then
        overwritten, so name the one that must stay last."""
        taken = list(taken)
        for slot in SLOTS:
            if slot not in taken:
                return slot
        return next(slot for slot in SLOTS if slot != taken[-1])

    def read(self, slot: str, app_version: str | None = None) -> Bundle | None:
        """The bundle in a slot; None where it is empty. Raises BundleError for a damaged one."""
        path = self.path(slot)
        return load(path, app_version) if path.exists() else None

    def put(
        self, source: Path, slot: str, digest: str | None = None, app_version: str | None = None
    ) -> Bundle:
        """Copy a bundle from a folder or zip into a slot, instead of what is there.

        After a power cut the slot holds the new bundle, or nothing; on return the new one is on
        the disk, read back, and has this digest, if one is given. Only what the digest speaks of
        is copied, and a person's confirmation; a seal is set. Raises BundleError, OSError.
        """
        bundle = load(source, app_version)
        if digest is not None and bundle.digest != digest:
            raise BundleError(
                "changed",
                f"{source} is the bundle {bundle.digest[:12]}, not {digest[:12]}",
                "send it again",
            )
        files = _contents(bundle)
        self.empty(slot)
        write_folder(self.path(slot), files)
        written = load(self.path(slot), app_version)
        if written.digest != bundle.digest:
            self.empty(slot)
            raise OSError(f"{self.path(slot)} reads back as another bundle: is the disk failing?")
        return written

    def empty(self, slot: str) -> None:
        """Remove what is in a slot. Raises OSError."""
        path = self.path(slot)
        if path.exists():
            # Whole or gone: a bundle with half of its files would only look like one.
            old = self._folder / f".{slot}.old"
            shutil.rmtree(old, ignore_errors=True)
            path.rename(old)
            sync_folder(self._folder)
        self.sweep()

    def sweep(self) -> None:
        """Remove what an interrupted `put` or `empty` has left."""
        with contextlib.suppress(FileNotFoundError):
            for left in self._folder.glob(".*"):
                shutil.rmtree(left, ignore_errors=True)


def _contents(bundle: Bundle) -> dict[str, bytes]:
    """The files that the digest speaks of, still the same, and what belongs to them."""
    files = open_files(bundle.root)
    found = {name: files.read(name) for name in bundle.hashes}
    if any(hashlib.sha256(found[name]).hexdigest() != bundle.hashes[name] for name in found):
        raise BundleError("changed", f"{bundle.root} changed meanwhile", "install it again")
    if bundle.confirmed is not None:
        found[CONFIRMED] = files.read(CONFIRMED)
    return found | {SEAL: seal(found)}
