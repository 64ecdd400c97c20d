"""Root and targets change hands: documents wait until enough persons have signed them.

What waits is in `roles` under `pending/root` and `pending/targets`. At most one change waits at a
time. It counts, in one transaction with all that depends on it, with its last signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.assignment import BundleFile
from sync.fleet import difference, metadata
from sync.fleet.change import Change, with_keys
from sync.fleet.folder import RepositoryError
from sync.fleet.keys import name_of
from sync.fleet.metadata import Document, MetadataError
from sync.fleet.repository import Repository
from sync.fleet.roles import PENDING, Roles
from sync.fleet.vouched import in_force

CHANGING = ("root", "targets")
_CHANGES = {"root": difference.of_root, "targets": difference.of_targets}
FIRST = "edge-inspect fleet keys sign finishes what waits, --discard drops it"


class Stale(RepositoryError):
    """Something was signed meanwhile: make the document again, of what is there now."""

    def __init__(self) -> None:
        super().__init__("somebody else has signed something meanwhile", "do it again")


@dataclass(frozen=True, slots=True)
class Pending:
    """A document that waits. `may` are the names of those whose signatures would still count;
    `changes` says what it changes, in words."""

    role: str
    version: int
    signed: tuple[str, ...]
    may: tuple[str, ...]
    missing: int
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """Documents that are to come into force together. `base` is the version of the targets that
    these ones were made of."""

    root: str | None = None
    targets: str | None = None
    base: int | None = None

    def as_json(self) -> dict[str, object]:
        """What `read_offer` reads."""
        return {"root": self.root, "targets": self.targets, "base": self.base}


def read_offer(content: Mapping[str, Any]) -> Offer:
    """Raises RepositoryError."""
    root, targets, base = content.get("root"), content.get("targets"), content.get("base")
    if not all(isinstance(one, str | None) for one in (root, targets)):
        raise RepositoryError("no offer", "report it")
    if not isinstance(base, int | None):
        raise RepositoryError("no offer", "report it")
    return Offer(root, targets, base)


class Ceremony:
    """Works within the caller's transaction, as `Repository` does."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    # Made by whoever has keys; changes nothing

    def listing(self, roles: Roles, file: BundleFile) -> Offer:
        """Targets with this bundle, signed by the keys at hand. Raises RepositoryError where there
        is none of the right ones."""
        _, before = self._documents(roles)
        targets = self._repository.listing(roles, file)
        return self._signed_offer(None, targets, before.signed.version)

    def striking(self, roles: Roles, digest: str) -> Offer:
        """Targets without this bundle, signed by the keys at hand."""
        root, targets = self._documents(roles)
        new = metadata.without_bundle(targets, digest, self._repository.wall())
        metadata.sign(new, self._repository.ring.signers(root.signed.roles["targets"].keyids))
        return self._signed_offer(None, new, targets.signed.version)

    def changed(self, roles: Roles, change: Change) -> Offer:
        """The next root, and targets where they must change with it, signed by the keys at hand."""
        root, targets = self._documents(roles)
        try:
            new_root, new_targets = with_keys(root, targets, change, self._repository.wall())
        except MetadataError as error:
            raise RepositoryError(str(error), "edge-inspect fleet keys list") from error
        return self._sign_both(root, targets, new_root, new_targets)

    def renewed(self, roles: Roles) -> Offer:
        """Root and targets as they are, for another year."""
        root, targets = self._documents(roles)
        at, days = self._repository.wall(), metadata.SLOW_DAYS
        new_root = metadata.following(root, at, days)
        return self._sign_both(root, targets, new_root, metadata.following(targets, at, days))

    def signatures(self, roles: Roles) -> list[dict[str, object]]:
        """Those that the keys at hand can add to what waits."""
        made: list[dict[str, object]] = []
        self._documents(roles)
        waiting = self._waiting(roles)
        for role, document in waiting.items():
            wanted = metadata.wanted(document, self._judge(roles, waiting, role))
            for signer in self._repository.ring.signers(wanted):
                metadata.sign(document, [signer])
                signature = document.signatures[signer.public_key.keyid]
                said = {"keyid": signature.keyid, "sig": signature.signature}
                made.append({"role": role, "version": document.signed.version, **said})
        return made

    def pending(self, roles: Roles) -> list[Pending]:
        """What waits."""
        waiting = self._waiting(roles)
        before = dict(zip(CHANGING, self._documents(roles), strict=True)) if waiting else {}
        found = []
        for role, document in waiting.items():
            judge = self._judge(roles, waiting, role)
            known = {**judge.signed.keys, **(document.signed.keys if role == "root" else {})}
            may = metadata.wanted(document, judge)
            found.append(
                Pending(
                    role,
                    document.signed.version,
                    tuple(sorted(name_of(known[keyid]) for keyid in document.signatures)),
                    tuple(sorted(name_of(key) for key in may.values())),
                    metadata.missing(document, judge),
                    tuple(_CHANGES[role](before[role], document)),
                )
            )
        return found

    # Orders

    def offer(self, roles: Roles, offer: Offer) -> int:
        """Take documents in: they wait, or come into force at once; how many signatures are still
        missing. Raises Stale, RepositoryError."""
        if self._waiting(roles):
            raise RepositoryError("another change waits for signatures", FIRST)
        root, targets = self._documents(roles)
        if offer.targets is not None and offer.base != targets.signed.version:
            raise Stale
        if offer.root is None and offer.targets is None:
            raise RepositoryError("nothing signed came with the order", "sign it and give it again")
        documents = {}
        for role, text in (("root", offer.root), ("targets", offer.targets)):
            if text is not None:
                documents[role] = _parsed(text, role)
        if "root" in documents and documents["root"].signed.version != root.signed.version + 1:
            raise Stale
        for role, document in documents.items():
            metadata.only_sound(document, self._judge(roles, documents, role))
            if not document.signatures:
                raise RepositoryError(f"nobody of those who sign {role} has signed it", FIRST)
        self._store(roles, documents)
        return self._settle(roles)

    def take(self, roles: Roles, signatures: Iterable[Mapping[str, Any]]) -> int:
        """Add signatures to what waits; how many are still missing. Those that do not fit are left
        out. Raises Stale where nothing of theirs waits any more."""
        waiting = self._waiting(roles)
        used = 0
        for one in signatures:
            document = waiting.get(str(one.get("role")))
            if document is None or document.signed.version != one.get("version"):
                continue
            keyid, sig = str(one.get("keyid")), str(one.get("sig"))
            metadata.attach(document, keyid, sig)
            metadata.only_sound(document, self._judge(roles, waiting, str(one.get("role"))))
            used += keyid in document.signatures
        if not used:
            raise Stale
        self._store(roles, waiting)
        return self._settle(roles)

    def discard(self, roles: Roles) -> None:
        """Drop what waits. Raises RepositoryError where nothing does."""
        if not self._waiting(roles):
            raise RepositoryError("nothing waits for signatures", "edge-inspect fleet keys list")
        for role in CHANGING:
            roles.drop(PENDING + role)

    def _settle(self, roles: Roles) -> int:
        """Put what waits into force, if nothing is missing."""
        waiting = self._waiting(roles)
        missing = sum(
            metadata.missing(document, self._judge(roles, waiting, role))
            for role, document in waiting.items()
        )
        if missing:
            return missing
        root, targets = waiting.get("root"), waiting.get("targets")
        if root is not None:
            roles.put("root", root.signed.version, metadata.to_bytes(root), only=False)
            self._repository.reseal(roles, targets)
        elif targets is not None:
            self._repository.seal(roles, {"targets": targets})
        for role in CHANGING:
            roles.drop(PENDING + role)
        return 0

    def _sign_both(
        self, root: Document, targets: Document, new_root: Document, new_targets: Document | None
    ) -> Offer:
        ring = self._repository.ring
        keyids = {*root.signed.roles["root"].keyids, *new_root.signed.roles["root"].keyids}
        metadata.sign(new_root, ring.signers(keyids))
        if new_targets is not None:
            metadata.sign(new_targets, ring.signers(new_root.signed.roles["targets"].keyids))
        return self._signed_offer(new_root, new_targets, targets.signed.version)

    def _signed_offer(self, root: Document | None, targets: Document | None, base: int) -> Offer:
        for role, document in (("root", root), ("targets", targets)):
            if document is not None and not document.signatures:
                places = ", ".join(str(place) for place in self._repository.ring.places)
                raise RepositoryError(
                    f"no key that signs {role} is in {places}", "--keys FOLDER, where it is"
                )
        return Offer(_text(root), _text(targets), base)

    def _documents(self, roles: Roles) -> Sequence[Document]:
        """Root and targets in force, of which the next ones are made. Raises RepositoryError for
        what was not signed by who may: it would be signed along with what was asked for."""
        first, known = self._repository.folder.roots()[1], roles.history("root")
        return in_force(first, known, roles.newest("targets") or b"")

    def _waiting(self, roles: Roles) -> dict[str, Document]:
        found = {role: roles.newest(PENDING + role) for role in CHANGING}
        return {role: metadata.from_bytes(body, role) for role, body in found.items() if body}

    def _judge(self, roles: Roles, waiting: Mapping[str, Document], role: str) -> Document:
        """The root that a document is checked by: targets by the root that comes with them."""
        coming = waiting.get("root") if role == "targets" else None
        return coming or self._repository.document(roles, "root")

    def _store(self, roles: Roles, documents: Mapping[str, Document]) -> None:
        for role, document in documents.items():
            roles.put(PENDING + role, document.signed.version, metadata.to_bytes(document))


def _text(document: Document | None) -> str | None:
    return None if document is None else metadata.to_bytes(document).decode()


def _parsed(text: str, role: str) -> Document:
    try:
        return metadata.from_bytes(text.encode(), role)
    except MetadataError as error:
        raise RepositoryError(f"that is no {role}: {error}", "report it") from error
