"""Style sheets, scripts, sounds and icons: the files of one folder, and no others."""

from __future__ import annotations

import functools
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response

from edge.access.denied import Denied
from edge.web.call import Call
from edge.web.rule import Rule

FOLDER = Path(__file__).parents[1] / "static"
KINDS = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is sent."""

    data: bytes
    kind: str
    tag: str


@functools.cache
def files(folder: Path = FOLDER) -> Mapping[str, File]:
    """All files of the folder by name, read once: what is asked for is a name, never a path."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            kind = KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0]
            data = path.read_bytes()
            tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
            found[path.name] = File(data, kind or "application/octet-stream", tag)
    return found


def static(call: Call) -> Response:
    """One of them; the browser asks each time whether its copy is still good."""
    file = files().get(call.path("name"))
    if file is None:
        raise Denied("unknown", "no such file")
    headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
    if call.request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.data, media_type=file.kind, headers=headers)


RULES = (Rule("GET", "/static/{name}", static, needs="anyone", quiet=True),)
