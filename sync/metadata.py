"""What the signatures in a pack vouch for, by the client of The Update Framework.

The client asks the pack instead of a server, and begins each time with the newest root alone, in an
empty folder: no earlier file can be torn, stale or poisoned. What has been seen before is
remembered elsewhere (`sync/floors.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata, Role, Root, Signed, Targets
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from sync.refusals import TrustRefused

TOP = ("root", "timestamp", "snapshot", "targets")
_BASE = "pack:/"
_TARGETS = "targets/"
_CONFIG = UpdaterConfig(
    max_root_rotations=256,
    max_delegations=4,
    root_max_length=256 * 1024,
    timestamp_max_length=16 * 1024,
    snapshot_max_length=512 * 1024,
    targets_max_length=512 * 1024,
    prefix_targets_with_hash=False,
)
"""The last two count where the signed metadata names no length."""


@dataclass(frozen=True, slots=True)
class Document:
    """One verified document: its version, and the ids of the keys that may sign its role."""

    version: int
    keys: tuple[str, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A bundle's file as the list says that the offline keys have signed."""

    sha256: str
    size: int
    digest: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a pack holds for one station, every signature and hash of it checked.

    `documents` by role; `holder` is the role that holds the assignment.
    """

    documents: Mapping[str, Document]
    holder: str
    assignment: bytes
    bundles: Mapping[str, Listed]


class _Shelf(FetcherInterface):
    """Serves the files of a pack; what is not in it is not there."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.last = ""

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.last = unquote(url[len(_BASE) :])
        text = self.files.get(self.last)
        if text is None:
            raise DownloadHTTPError(f"{self.last} is not in the pack", 404)
        return iter([text.encode()])


class Examination:
    """One pack, one look. `folder` must be empty and is left full."""

    def __init__(
        self,
        files: Mapping[str, str],
        folder: Path,
        trusted_root: bytes,
        reference: datetime,
        known_keys: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._shelf = _Shelf(files)
        self._folder = folder
        self._trusted_root = trusted_root
        self._reference = reference
        self._known_keys = known_keys

    def verify(self, path: str) -> Verified:
        """Everything that vouches for the target `path`. Raises TrustRefused, and whatever the
        client raises on nonsense."""
        try:
            return self._verify(path)
        except UnsignedMetadataError as error:
            raise self._badly_signed(str(error)) from error
        except DownloadHTTPError as error:
            others = [name for name in self._shelf.files if name.startswith(f"{_TARGETS}assign")]
            if others and _TARGETS + path not in others:
                raise TrustRefused("other_station", f"the pack holds {others[0]}") from error
            raise TrustRefused("mix_and_match", str(error)) from error
        except ExpiredMetadataError as error:
            raise TrustRefused("expired", str(error)) from error
        except DownloadLengthMismatchError as error:
            raise TrustRefused("endless", f"{self._shelf.last}: {error}") from error
        except (LengthOrHashMismatchError, BadVersionNumberError) as error:
            self._swapped(path)
            raise TrustRefused("mix_and_match", f"{self._shelf.last}: {error}") from error
        except (RepositoryError, DownloadError) as error:
            raise TrustRefused("malformed", f"{self._shelf.last}: {error}") from error

    def newest_root(self) -> bytes | None:
        """The newest root that is verified, also where everything after it was refused."""
        try:
            return (self._folder / "root.json").read_bytes()
        except FileNotFoundError:
            return None

    def root_version(self) -> int:
        """Of the newest verified root."""
        return self._load("root").version

    def root_keys(self) -> dict[str, tuple[str, ...]]:
        """The ids of all keys that the roots on the way allowed, by role."""
        found: dict[str, list[str]] = {}
        history = (self._folder / "root_history").glob("*.root.json")
        for path in sorted(history, key=lambda path: int(path.name.split(".")[0])):
            for role, said in Metadata[Root].from_bytes(path.read_bytes()).signed.roles.items():
                found.setdefault(role, []).extend(said.keyids)
        return {role: tuple(dict.fromkeys(ids)) for role, ids in found.items()}

    def _verify(self, path: str) -> Verified:
        updater = Updater(
            str(self._folder),
            _BASE,
            target_base_url=_BASE + _TARGETS,
            fetcher=self._shelf,
            config=_CONFIG,
            bootstrap=self._trusted_root,
        )
        updater._trusted_set.reference_time = self._reference
        updater.refresh()
        target = updater.get_targetinfo(path)
        if target is None:
            raise TrustRefused("other_station", f"nothing in it is signed for {path}")
        file = self._folder / "assignment"
        updater.download_target(target, str(file))
        loaded = {name: self._load(name) for name in self._names()}
        root, targets = loaded["root"], loaded["targets"]
        assert isinstance(root, Root)
        assert isinstance(targets, Targets)
        documents = {
            name: self._document(name, said, root if name in TOP else targets)
            for name, said in loaded.items()
        }
        holders = [
            name
            for name, said in loaded.items()
            if isinstance(said, Targets) and path in said.targets
        ]
        holder = "targets" if "targets" in holders else holders[0]
        return Verified(documents, holder, file.read_bytes(), self._bundles(targets))

    def _names(self) -> list[str]:
        return sorted(unquote(file.name[: -len(".json")]) for file in self._folder.glob("*.json"))

    def _document(self, name: str, said: Signed, delegator: Root | Targets) -> Document:
        if said.is_expired(self._reference):
            raise ExpiredMetadataError(f"{name} is expired")
        role = delegator.get_delegated_role(name)
        return Document(said.version, tuple(sorted(role.keyids)), role.threshold)

    @staticmethod
    def _bundles(targets: Targets) -> dict[str, Listed]:
        """From the list of the offline keys alone: what a delegated role lists does not count."""
        found = {}
        for path, file in targets.targets.items():
            said = file.custom if isinstance(file.custom, dict) else {}
            found[path] = Listed(
                str(file.hashes.get("sha256")),
                file.length,
                *(str(said.get(name)) for name in ("digest", "name", "version")),
            )
        return found

    def _load(self, role: str) -> Signed:
        file = self._folder / f"{quote(role, '')}.json"
        return Metadata[Signed].from_bytes(file.read_bytes()).signed  # type: ignore[type-var]

    def _swapped(self, path: str) -> None:
        """Say so where the text in the place of the assignment is that of another station."""
        try:
            station = json.loads(self._shelf.files[_TARGETS + path])["station"]
        except (ValueError, LookupError, TypeError, RecursionError):
            return
        if self._shelf.last == _TARGETS + path and path != f"assignments/{station}.json":
            raise TrustRefused("other_station", f"the assignment of {str(station)[:200]}")

    def _badly_signed(self, why: str) -> TrustRefused:
        """Which of three things is wrong with the signatures of the file asked for last."""
        name = self._shelf.last
        role_name = name.removesuffix(".json").split(".")[-1]
        document = Metadata.from_bytes(self._shelf.files[name].encode())
        delegator = self._load("root" if role_name in TOP else "targets")
        assert isinstance(delegator, Root | Targets)
        role: Role = delegator.get_delegated_role(role_name)
        result = delegator.get_verification_result(
            role_name, document.signed_bytes, document.signatures
        )
        allowed = set(role.keyids)
        known = {*self.root_keys().get(role_name, ()), *self._known_keys.get(role_name, ())}
        revoked = sorted(set(document.signatures) & (known - allowed))
        if revoked:
            return TrustRefused("revoked_key", f"{name} is signed by key {revoked[0][:16]}")
        if result.signed:
            return TrustRefused("under_threshold", f"{name}: {why}")
        return TrustRefused("wrong_key", f"{name}: {why}")


def read_root(data: bytes, where: str) -> tuple[int, list[str]]:
    """Version and root keys of a root that is to be trusted. Raises TrustRefused, with the code
    `no_trust_root`, where it is none or is not signed by itself."""
    try:
        document = Metadata[Root].from_bytes(data)
        document.signed.verify_delegate("root", document.signed_bytes, document.signatures)
        return document.signed.version, document.signed.roles["root"].keyids
    except Exception as error:  # whatever a strange file makes the library raise
        raise TrustRefused("no_trust_root", f"{where} is no signed root: {error}") from error
