"""The fleet's signed repository: one folder with keys, and its documents in the database.

All that moves is in the database, where several `fleet serve` share it. What is not committed did
not happen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

from sqlalchemy.engine import Connection

from sync.assignment import Assignment, AssignmentError, BundleFile, parse
from sync.fleet import metadata, shelf
from sync.fleet.change import keys_of
from sync.fleet.folder import Folder, Founding, RepositoryError, found
from sync.fleet.keys import PublicKey, Ring
from sync.fleet.metadata import BINS, FAST_DAYS, Document
from sync.fleet.roles import PENDING, Roles
from sync.pack import pack
from sync.want import piece_size

RENEW_BEFORE_S = 6 * 86400


@dataclass(frozen=True, slots=True)
class Parcel:
    """A bundle that is pushed: the file's bytes, and what they hold. `manifest` is the text of its
    bundle.yaml."""

    name: str
    version: str
    digest: str
    manifest: str
    data: bytes

    def as_file(self) -> BundleFile:
        """How stations are told of it. The same bytes always give the same."""
        hashed, piece = sha256(self.data).hexdigest(), piece_size(len(self.data))
        starts = range(0, len(self.data), piece)
        pieces = tuple(sha256(self.data[one : one + piece]).hexdigest() for one in starts)
        path = f"bundles/{self.name}-{self.version}-{self.digest[:12]}-{hashed[:8]}.zip"
        return BundleFile(
            self.name, self.version, self.digest, path, hashed, len(self.data), piece, pieces
        )


class Repository:
    """Every method works within the caller's transaction on the central database.

    Whatever writes first takes a row lock that lasts until the transaction ends, so that several
    processes may share one PostgreSQL. `wall` is the clock, in seconds since 1970. Everything
    raises RepositoryError, or KeysError where a key cannot be used.
    """

    def __init__(
        self, path: Path, ring: Ring | None = None, wall: Callable[[], float] = time.time
    ) -> None:
        self.folder = Folder(path)
        self.folder.check()
        self.ring = self.folder.ring() if ring is None else ring
        self.wall = wall

    @classmethod
    def create(
        cls,
        path: Path,
        founding: Founding | None = None,
        wall: Callable[[], float] = time.time,
        passphrase: bytes | None = None,
    ) -> Repository:
        """A new one, with new keys in its folder."""
        folder = found(path, founding or Founding(), wall(), passphrase)
        return cls(path, folder.ring(passphrase=passphrase), wall)

    def assign(self, connection: Connection, words: Mapping[str, Assignment | bytes]) -> None:
        """Make these the newest assignments of their stations, and sign them.

        Each must be for the station that it is given to, newer than the one before, and of a bundle
        that the targets' keys have signed; else none of them counts.
        """
        if not words:
            return
        roles = self.open(connection)
        listed = self.document(roles, "targets")
        before = roles.serials(sorted(words))
        changed: dict[str, Document] = {}
        rows: list[dict[str, object]] = []
        for station, word in sorted(words.items()):
            assignment = _read(station, word)
            self._check(assignment, before.get(station, 0), listed)
            name, body = metadata.bin_of(station), assignment.as_bytes()
            if name not in changed:
                changed[name] = self._next(roles, name)
            metadata.put_target(changed[name], metadata.path_of(station), body)
            row = {"station": station, "serial": assignment.serial, "body": body}
            rows.append({**row, "rollout": assignment.rollout})
        stamp = self.seal(roles, changed)
        roles.assign([{**row, "signed": stamp} for row in rows])

    def pack(self, connection: Connection, station: str) -> bytes | None:
        """All that this station needs to trust its newest assignment; None where it has none."""
        roles = self.open(connection)
        body = roles.assigned(station)
        if body is None:
            return None
        files = {f"{n}.root.json": text for n, text in roles.history("root").items()}
        for name in ("snapshot", "targets", metadata.bin_of(station)):
            files[f"{self.document(roles, name).signed.version}.{name}.json"] = _there(roles, name)
        files["timestamp.json"] = _there(roles, "timestamp")
        files[f"targets/{metadata.path_of(station)}"] = body
        texts = {name: content.decode() for name, content in files.items()}
        return pack(texts, iso(self.wall()))

    def renew(self, connection: Connection, now: float | None = None) -> bool:
        """Sign what `serve` signs anew, once it is a day old; whether anything was. Every pack is
        newer then: `assignments.signed` rises for all stations. Files that were struck go."""
        roles = self.open(connection)
        listed = self.document(roles, "targets").signed.targets.values()
        shelf.sweep(connection, {one.hashes.get("sha256") for one in listed})
        at = self.wall() if now is None else now
        limit = metadata.ends(at, 0).timestamp() + RENEW_BEFORE_S
        names = [*metadata.bins(), "snapshot", "timestamp"]
        ends = [self.document(roles, name).signed.expires.timestamp() for name in names]
        if min(ends) > limit:
            return False
        self.reseal(roles)
        return True

    def listing(self, roles: Roles, file: BundleFile) -> Document:
        """The next targets, with this file, signed by the keys at hand; stored nowhere yet."""
        root = self.document(roles, "root")
        targets = metadata.with_bundle(self.document(roles, "targets"), file, self.wall())
        metadata.sign(targets, self.ring.signers(root.signed.roles["targets"].keyids))
        return targets

    def keys(self, roles: Roles) -> dict[str, dict[str, PublicKey]]:
        """Who may sign each role, by key id."""
        return keys_of(self.document(roles, "root"), self.document(roles, "targets"))

    def threshold(self, roles: Roles, role: str) -> int:
        """How many of them must."""
        known = self.document(roles, "root").signed.roles
        return int(known[role].threshold) if role in known else 1

    def ends(self, connection: Connection) -> dict[str, str]:
        """When each document ends, by name."""
        roles = Roles(connection, iso(self.wall()))
        return {
            name: iso(self.document(roles, name).signed.expires.timestamp())
            for name in ("root", "targets", "snapshot", "timestamp")
        }

    # The documents

    def open(self, connection: Connection) -> Roles:
        """Lock the documents; put the repository into a database that does not hold it yet."""
        roles = Roles(connection, iso(self.wall()))
        first = roles.lock()
        if first is None:
            self._begin(roles)
            first = roles.lock()
        self._compare(first)
        return roles

    def look(self, connection: Connection) -> Roles:
        """The documents, to be read only. Raises RepositoryError where the database holds none, or
        those of another repository."""
        roles = Roles(connection, iso(self.wall()))
        self._compare(roles.history("root").get(1))
        return roles

    def document(self, roles: Roles, name: str) -> Document:
        """The newest version of a document."""
        kind = "targets" if name.startswith(BINS) else name.removeprefix(PENDING)
        return metadata.from_bytes(_there(roles, name), kind)

    def seal(self, roles: Roles, changed: Mapping[str, Document]) -> int:
        """Store changed documents (bins are signed here; targets must be), and a snapshot and
        timestamp that name them; the version of the timestamp."""
        root = self.document(roles, "root")
        delegations = (changed.get("targets") or self.document(roles, "targets")).signed.delegations
        for name, document in changed.items():
            if name != "targets":
                self._sign(document, delegations.succinct_roles.keyids, BINS)
            roles.put(name, document.signed.version, metadata.to_bytes(document))
        at = self.wall()
        snapshot = metadata.pointing(self.document(roles, "snapshot"), changed, at)
        self._sign(snapshot, root.signed.roles["snapshot"].keyids, "snapshot")
        roles.put("snapshot", snapshot.signed.version, metadata.to_bytes(snapshot))
        timestamp = metadata.stamped(self.document(roles, "timestamp"), snapshot, at)
        self._sign(timestamp, root.signed.roles["timestamp"].keyids, "timestamp")
        roles.put("timestamp", timestamp.signed.version, metadata.to_bytes(timestamp))
        return int(timestamp.signed.version)

    def reseal(self, roles: Roles, targets: Document | None = None) -> None:
        """Sign everything of the online keys anew, with targets where they changed too; every
        station is to hear of it."""
        changed = {name: self._next(roles, name) for name in metadata.bins()}
        if targets is not None:
            changed["targets"] = targets
        roles.vouch_for_all(self.seal(roles, changed))

    def keep_copy(self, connection: Connection) -> None:
        """Copy into the folder what the offline keys have signed; after a commit, best."""
        roles = Roles(connection, iso(self.wall()))
        self.folder.keep(roles.history("root"), _there(roles, "targets"))

    def _begin(self, roles: Roles) -> None:
        """From the folder, with fresh online documents. Two who do so at once do it once."""
        at = self.wall()
        roots = self.folder.roots()
        for version, body in roots.items():
            roles.put("root", version, body, only=False)
        if roles.newest("timestamp") is not None:
            return
        targets = metadata.from_bytes(self.folder.targets(), "targets")
        roles.put("snapshot", 1, metadata.to_bytes(metadata.first_snapshot(at)))
        roles.put("timestamp", 1, metadata.to_bytes(metadata.first_timestamp(at)))
        fresh = {name: metadata.first_bin(at) for name in metadata.bins()}
        bins = {name: metadata.following(one, at, FAST_DAYS) for name, one in fresh.items()}
        self.seal(roles, {"targets": targets, **bins})

    def _compare(self, first: bytes | None) -> None:
        if first is None:
            raise RepositoryError("the database holds no repository yet", "edge-inspect fleet push")
        if first != self.folder.roots()[1]:
            raise RepositoryError(
                f"the database belongs to another repository than {self.folder.path}",
                "give the --repository and the --database that go together",
            )

    def _next(self, roles: Roles, name: str) -> Document:
        return metadata.following(self.document(roles, name), self.wall(), FAST_DAYS)

    def _sign(self, document: Document, keyids: Sequence[str], role: str) -> None:
        signers = self.ring.signers(keyids)
        if not signers:
            raise RepositoryError(
                f"the key that signs {role} is not in {self.folder.keys}",
                "fleet serve and fleet push need the keys online.pem and assignments.pem there",
            )
        metadata.sign(document, signers)

    def _check(self, word: Assignment, before: int, listed: Document) -> None:
        if word.serial <= before:
            raise RepositoryError(
                f"{word.station} has the assignment {before} already, and {word.serial} is older",
                "order it again",
            )
        if word.action in ("run", "pause") and not metadata.lists(listed, word.bundle):
            raise RepositoryError(
                f"{word.bundle.path} is not signed by the targets' keys",
                "edge-inspect fleet keys sign",
            )


def iso(wall: float) -> str:
    """UTC text of a time in seconds since 1970."""
    moment = datetime.fromtimestamp(wall, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _there(roles: Roles, name: str) -> bytes:
    body = roles.newest(name)
    if body is None:
        raise RepositoryError(f"the database holds no {name}", "restore it from a backup")
    return body


def _read(station: str, word: Assignment | bytes) -> Assignment:
    try:
        found = parse(word if isinstance(word, bytes) else word.as_bytes())
    except AssignmentError as error:
        raise RepositoryError(f"no station would take that: {error}", "report it") from error
    if found.station != station:
        raise RepositoryError(f"an assignment of {found.station} for {station}", "report it")
    return found
