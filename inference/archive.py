"""A bundle as one file, to be sent."""

from __future__ import annotations

import hashlib
import io
import zipfile

from inference.bundle import CONFIRMED, Bundle, BundleError
from inference.files import open_files

_EARLIEST = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16


def as_zip(bundle: Bundle) -> bytes:
    """The bundle's files and a person's confirmation, as a zip: the same files always give the same
    bytes (with the same zlib). What lies beside them in its folder is left out.

    Raises BundleError where a file is no longer what it was at loading.
    """
    files = open_files(bundle.root)
    names = sorted([*bundle.hashes, CONFIRMED] if bundle.confirmed else bundle.hashes)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            try:
                content = files.read(name)
            except OSError as error:
                raise BundleError("unreadable", str(error), "copy it anew") from error
            if name != CONFIRMED and hashlib.sha256(content).hexdigest() != bundle.hashes[name]:
                raise BundleError(
                    "changed", f"{bundle.root}: {name} changed meanwhile", "push it again"
                )
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            entry.external_attr = _MODE
            archive.writestr(entry, content, compresslevel=9)
    return stream.getvalue()
