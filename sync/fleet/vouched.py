"""Root and list as persons have signed them: who signs the next ones signs what is in these. Pure.

The machine with the database holds no key of a person. What somebody there has added must not get a
person's signature along with the next bundle.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync.fleet import metadata
from sync.fleet.folder import RepositoryError
from sync.fleet.metadata import Document, MetadataError

MEND = "somebody has written to the database: sign nothing, and restore it from a backup"


def in_force(first: bytes, roots: Mapping[int, bytes], targets: bytes) -> tuple[Document, Document]:
    """The newest root and the list. `first` is the root that we know ourselves, `roots` are all
    that the database holds.

    Raises RepositoryError where not each root is signed by the one before and by itself, or the
    list not by the newest.
    """
    if sorted(roots) != list(range(1, len(roots) + 1)) or roots[1] != first:
        raise RepositoryError("the database does not hold every root from ours on", MEND)
    root = metadata.from_bytes(first, "root")
    try:
        for version in range(2, len(roots) + 1):
            following = metadata.vouched(root, roots[version], "root")
            root = metadata.vouched(following, roots[version], "root")
            if root.signed.version != version:
                raise MetadataError(f"root {root.signed.version} in the place of root {version}")
    except MetadataError as error:
        raise RepositoryError(f"root {version} is not signed by who may: {error}", MEND) from error
    try:
        return root, metadata.vouched(root, targets, "targets")
    except MetadataError as error:
        what = f"the list of bundles is not signed by who may: {error}"
        raise RepositoryError(what, MEND) from error
