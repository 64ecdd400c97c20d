"""The chain from a bundle back to the data: who knows the parents, and what they say.

Manifests of all bundles that were ever installed here are kept below `rollout/manifests/`; what a
parent says of itself is its maker's word, as the bundle's own lineage is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.files import write_atomically
from inference.bundle import Bundle, BundleError, load
from inference.lineage import HASH, Lineage, lineage
from inference.manifest import Manifest, from_yaml, to_yaml

MANIFESTS = Path("rollout") / "manifests"
MOST_KEPT = 200
LONGEST = 50


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One bundle of the chain. `name` is None where nobody here knows it, `where` says who does."""

    digest: str
    name: str | None
    version: str | None
    where: str | None
    lineage: Lineage

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "bundle": self.digest,
            "name": self.name,
            "version": self.version,
            "where": self.where,
            **self.lineage.as_json(),
        }


Known = Mapping[str, tuple[str, Manifest]]
"""By digest: where a bundle is, and what it says."""


def chain(digest: str, manifest: Manifest, known: Known) -> list[Ancestor]:
    """The bundle and its ancestors, youngest first; the last one has no parent, or is unknown."""
    where: str | None = None
    found: list[Ancestor] = []
    seen: set[str] = set()
    while True:
        seen.add(digest)
        told = lineage(manifest.lineage)
        found.append(Ancestor(digest, manifest.name, manifest.version, where, told))
        parent = told.parent
        if parent is None or parent in seen or len(found) >= LONGEST:
            return found
        if parent not in known:
            return [*found, Ancestor(parent, None, None, None, Lineage())]
        digest, (where, manifest) = parent, known[parent]


def known(places: Iterable[tuple[str, Path]], state_dir: Path | None = None) -> Known:
    """The bundles at these places, and those that were installed here once. Nothing is raised: what
    cannot be read is not known."""
    found: dict[str, tuple[str, Manifest]] = {}
    for path in (state_dir / MANIFESTS).glob("*.yaml") if state_dir is not None else ():
        with contextlib.suppress(OSError):
            manifest, _ = from_yaml(path.read_text(errors="replace"))
            if manifest is not None and HASH.fullmatch(path.stem):
                found[path.stem] = "installed here before", manifest
    for name, path in places:
        with contextlib.suppress(BundleError, OSError):
            bundle = load(path)
            found[bundle.digest] = name, bundle.manifest
    return found


def remember(state_dir: Path, bundle: Bundle) -> None:
    """Keep what a bundle says of itself, for when its slot holds another one. Raises OSError."""
    folder = state_dir / MANIFESTS
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / f"{bundle.digest}.yaml", to_yaml(bundle.manifest).encode())
    kept = sorted(folder.glob("*.yaml"), key=lambda path: path.stat().st_mtime)
    for path in kept[:-MOST_KEPT]:
        path.unlink(missing_ok=True)
