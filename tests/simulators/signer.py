"""A fleet's signed repository, made with the library's own tools: honest, or not at all."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timezone

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)

from sync.assignment import Assignment, BundleFile
from sync.pack import pack

START = 1_790_000_000.0
"""A day in 2026."""
DAY = 86400.0
TOP = ("root", "timestamp", "snapshot", "targets")
BINS = "assignments"


def when(at):
    return datetime.fromtimestamp(at, timezone.utc)


def text(at):
    return when(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def bundle_file(content=b"a bundle", name="caps", version="1.1.0", piece=4):
    """A bundle's file as the fleet describes it; its content is whatever it is."""
    digest = hashlib.sha256(b"digest of" + content).hexdigest()
    pieces = [content[at : at + piece] for at in range(0, len(content), piece)]
    return BundleFile(
        name=name,
        version=version,
        digest=digest,
        path=f"bundles/{name}-{version}-{digest[:12]}.zip",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        piece=piece,
        pieces=tuple(hashlib.sha256(one).hexdigest() for one in pieces),
    )


def assignment_of(station="plant-a/line-3/caps", serial=1, bundle=None, at=START, **changes):
    """An ordinary assignment, or one with some of it changed."""
    ordinary = Assignment(
        station=station,
        serial=serial,
        rollout="roll-1",
        issued_at=text(at),
        by="chief",
        action="run",
        bundle=bundle or bundle_file(),
    )
    return replace(ordinary, **changes)


class Signer:
    """Keys and metadata of one fleet. `at` is its clock.

    `keys` says who signs a role: change it, then `new_root` or `new_targets` makes it known.
    """

    def __init__(self, at=START, count=3, threshold=2):
        self.at = at
        self.threshold = {"root": threshold, "targets": threshold}
        self.keys = {role: [CryptoSigner.generate_ed25519()] for role in (*TOP, BINS)}
        for role in ("root", "targets"):
            self.keys[role] = [CryptoSigner.generate_ed25519() for _ in range(count)]
        self.roots = []
        self.days = {"root": 365, "targets": 365, BINS: 7, "snapshot": 7, "timestamp": 7}
        self.versions = {}
        self.bundles = {}
        self.assigned = {}
        self.documents = {}
        self.new_root()
        self.new_targets()
        self.publish()

    # What the fleet does

    def new_root(self, signers=None):
        """The next root: signed by the root keys of before and of now."""
        root = Root(version=len(self.roots) + 1, expires=self._end("root"))
        for role in TOP:
            for one in self.keys[role]:
                root.add_key(one.public_key, role)
            root.roles[role].threshold = self.threshold.get(role, 1)
        before = self._root_signers if self.roots else []
        self._root_signers = list(self.keys["root"])
        self.roots.append(self._sign(root, signers or [*before, *self._root_signers]))
        return self.roots[-1]

    def new_targets(self, signers=None):
        """The list of bundles, and who may sign assignments, signed anew."""
        targets = Targets(version=self._next("targets"), expires=self._end("targets"))
        bins = SuccinctRoles([], 1, 4, BINS)
        targets.delegations = Delegations({}, succinct_roles=bins)
        for one in self.keys[BINS]:
            targets.add_key(one.public_key)
        for bundle in self.bundles.values():
            file = TargetFile(bundle.size, {"sha256": bundle.sha256}, bundle.path)
            said = {"digest": bundle.digest, "name": bundle.name, "version": bundle.version}
            file.unrecognized_fields["custom"] = said
            targets.targets[bundle.path] = file
        self.documents["targets"] = self._sign(targets, signers or self.keys["targets"])

    def push(self, bundle):
        """List a bundle."""
        self.bundles[bundle.path] = bundle
        self.new_targets()

    def assign(self, *assignments, listing=True):
        """Sign assignments and publish them; their bundles are listed where they were not."""
        for one in assignments:
            self.assigned[f"assignments/{one.station}.json"] = one.as_bytes()
            if listing and one.bundle.path not in self.bundles:
                self.push(one.bundle)
        self.publish()

    def publish(self):
        """Bins, snapshot and timestamp signed anew: what `serve` does daily."""
        self.sign_bins()
        self.sign_snapshot()
        self.sign_timestamp()

    def sign_bins(self):
        delegated = Metadata.from_bytes(self.documents["targets"]).signed.delegations
        for name in delegated.succinct_roles.get_roles():
            made = Targets(version=self._next(name), expires=self._end(BINS))
            for path, body in self.assigned.items():
                if delegated.succinct_roles.get_role_for_target(path) == name:
                    made.targets[path] = TargetFile.from_data(path, body, ["sha256"])
            self.documents[name] = self._sign(made, self.keys[BINS])

    def sign_snapshot(self):
        made = Snapshot(version=self._next("snapshot"), expires=self._end("snapshot"))
        for name, data in self.documents.items():
            if name not in ("snapshot", "timestamp"):
                made.meta[f"{name}.json"] = self._described(data)
        self.documents["snapshot"] = self._sign(made, self.keys["snapshot"])

    def sign_timestamp(self, signers=None):
        made = Timestamp(version=self._next("timestamp"), expires=self._end("timestamp"))
        made.snapshot_meta = self._described(self.documents["snapshot"])
        self.documents["timestamp"] = self._sign(made, signers or self.keys["timestamp"])

    # What a station gets

    def files(self, station="plant-a/line-3/caps"):
        """The files of this station's pack."""
        path = f"assignments/{station}.json"
        delegated = Metadata.from_bytes(self.documents["targets"]).signed.delegations
        found = {f"{number}.root.json": data for number, data in enumerate(self.roots, 1)}
        found["timestamp.json"] = self.documents["timestamp"]
        for name in ("snapshot", "targets", delegated.succinct_roles.get_role_for_target(path)):
            found[f"{self._version(name)}.{name}.json"] = self.documents[name]
        if path in self.assigned:
            found[f"targets/{path}"] = self.assigned[path]
        return {name: data.decode() for name, data in found.items()}

    def pack(self, station="plant-a/line-3/caps", **changed):
        """Its pack; `sent_at` and single files can be given."""
        sent_at = changed.pop("sent_at", text(self.at))
        return pack({**self.files(station), **changed}, sent_at)

    # How

    def _sign(self, signed, signers):
        made = Metadata(signed)
        for one in signers:
            made.sign(one, append=True)
        return made.to_bytes()

    def _described(self, data):
        version = Metadata.from_bytes(data).signed.version
        return MetaFile.from_data(version, data, ["sha256"])

    def _version(self, name):
        return Metadata.from_bytes(self.documents[name]).signed.version

    def _end(self, role):
        return when(self.at + self.days[role] * DAY)

    def _next(self, name):
        self.versions[name] = self.versions.get(name, 0) + 1
        return self.versions[name]
