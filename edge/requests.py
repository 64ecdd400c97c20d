"""How a command asks a running service to do something: one file in, one answer out.

A request is `requests/<service>/<id>.json`, its answer `requests/<service>/<id>.answer`. The id is
fresh for each request; a service that applied one before a crash finds the id in its journal and
only answers again. Nonsense in the folder is moved aside, counted, and has no other effect.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.files import write_atomically

LARGEST = 64 * 1024
ANSWER_WITHIN_S = 5.0
KEEP_ANSWERS_S = 600.0
_NAME = re.compile(r"^[0-9a-f-]{36}\.json$")

Answer = dict[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, by whom: the person named and the Unix account that typed it."""

    id: str
    kind: str
    arguments: Mapping[str, object]
    by: str | None = None
    account: str | None = None


class Refused(Exception):
    """A request that cannot be applied; the message goes back to the person."""


class Desk:
    """The service's end: reads requests, calls the handler of each kind, writes answers."""

    def __init__(self, folder: Path, handlers: Mapping[str, Callable[[Request], Answer]]) -> None:
        self.folder = folder
        self.nonsense = 0
        self._handlers = handlers
        folder.mkdir(parents=True, exist_ok=True)

    def step(self, wall: float) -> int:
        """Serve every waiting request once, oldest first; how many were served."""
        served = 0
        for path in sorted(self.folder.glob("*.json"), key=_age):
            request = self._read(path)
            if request is not None:
                self._serve(request)
                served += 1
            path.unlink(missing_ok=True)
        self._forget(wall)
        return served

    def _read(self, path: Path) -> Request | None:
        try:
            if not _NAME.match(path.name) or path.stat().st_size > LARGEST:
                raise ValueError
            content = json.loads(path.read_bytes())
            by, account = content.get("by"), content.get("account")
            if not isinstance(content["kind"], str) or not isinstance(content["arguments"], dict):
                raise ValueError
            if not all(isinstance(name, str | None) for name in (by, account)):
                raise ValueError
            return Request(path.stem, content["kind"], content["arguments"], by, account)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.nonsense += 1
            return None

    def _serve(self, request: Request) -> None:
        handler = self._handlers.get(request.kind)
        try:
            if handler is None:
                raise Refused(f"this service knows no request of the kind {request.kind!r}")
            answer: Answer = {"ok": True, **handler(request)}
        except Refused as refusal:
            answer = {"ok": False, "message": str(refusal)}
        write_atomically(self.folder / f"{request.id}.answer", json.dumps(answer).encode())

    def _forget(self, wall: float) -> None:
        for path in self.folder.glob("*.answer"):
            if wall - _age(path) > KEEP_ANSWERS_S:
                path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def put(folder: Path, request: Request) -> None:
    """Leave a request for the service. Raises OSError (FileNotFoundError: it never ran here)."""
    content = {
        "kind": request.kind,
        "arguments": dict(request.arguments),
        "by": request.by,
        "account": request.account,
    }
    write_atomically(folder / f"{request.id}.json", json.dumps(content).encode())


def answers(folder: Path, request_id: str) -> Iterator[Answer | None]:
    """Look for the answer again and again: None while there is none, then the answer, once."""
    path = folder / f"{request_id}.answer"
    while True:
        try:
            answer: Answer = json.loads(path.read_bytes())
        except FileNotFoundError:
            yield None
            continue
        path.unlink(missing_ok=True)
        yield answer
        return


def ask(folder: Path, request: Request, within_s: float = ANSWER_WITHIN_S) -> Answer | None:
    """Leave a request and wait for its answer; None when it is still waiting after `within_s`."""
    put(folder, request)
    end = time.monotonic() + within_s
    for answer in answers(folder, request.id):
        if answer is not None:
            return answer
        if time.monotonic() > end:
            return None
        time.sleep(0.01)
    return None
