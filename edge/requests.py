"""How a command asks a running service to do something: one file in, one answer out.

A request is `requests/<service>/<id>.json`, its answer `requests/<service>/<id>.answer`. The id is
fresh for each request; a service that applied one before a crash finds the id in its journal and
only answers again. Nonsense in the folder is removed, counted, and has no other effect.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.files import write_atomically
from edge.log import log

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
        self._not_said: dict[str, Answer] = {}
        self._irremovable: set[str] = set()
        self._since: dict[str, float] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def step(self, now: float) -> int:
        """Serve every waiting request once, oldest first; how many were served.

        `now` is monotonic, in seconds: no jump of the wall clock removes an answer unread.
        Raises OSError where an answer cannot be written: that request is answered, but not applied,
        again at the next step.
        """
        served = 0
        waiting = sorted(self.folder.glob("*.json"), key=_age)
        self._irremovable &= {path.name for path in waiting}
        for path in waiting:
            if path.name in self._irremovable:
                continue
            request = _read(path)
            if request is None:
                self.nonsense += 1
                log.warning("requests.nonsense", file=path.name)
            else:
                self._serve(request)
                served += 1
            self._remove(path)
        self._forget(now)
        return served

    def _serve(self, request: Request) -> None:
        answer = self._not_said.pop(request.id, None)
        if answer is None:
            answer = self.apply(request)
        try:
            write_atomically(self.folder / f"{request.id}.answer", json.dumps(answer).encode())
        except OSError:
            self._not_said[request.id] = answer
            raise

    def apply(self, request: Request) -> Answer:
        """Call the handler; what it says, or `{"ok": False, "message"}`."""
        handler = self._handlers.get(request.kind)
        try:
            if handler is None:
                raise Refused(f"this service knows no request of the kind {request.kind!r}")
            return {"ok": True, **handler(request)}
        except Refused as refusal:
            return {"ok": False, "message": str(refusal)}
        except Exception as failure:  # what a command asks must never end the service
            log.exception("requests.failed", kind=request.kind)
            return {"ok": False, "message": f"that failed: {failure} (see the service's log)"}

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError:  # a folder, say: it stays there and is not looked at again
            self._irremovable.add(path.name)

    def _forget(self, now: float) -> None:
        lying = {path.name: path for path in self.folder.glob("*.answer")}
        self._since = {name: self._since.get(name, now) for name in lying}
        for name, since in self._since.items():
            if now - since > KEEP_ANSWERS_S:
                with contextlib.suppress(OSError):
                    lying[name].unlink()


def _read(path: Path) -> Request | None:
    """The request in a file; None for anything else that someone has put there."""
    try:
        if not _NAME.match(path.name):
            return None
        text = _content(path)
        content = json.loads(text)
        # A text that is no UTF-8, or a number that is none, could never be recorded.
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
        by, account = content.get("by"), content.get("account")
        if not isinstance(content["kind"], str) or not isinstance(content["arguments"], dict):
            return None
        if not all(isinstance(name, str | None) for name in (by, account)):
            return None
        return Request(path.stem, content["kind"], content["arguments"], by, account)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _content(path: Path) -> bytes:
    """The bytes of a regular file of a sensible size: pipes and links could hold us up."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError(f"{path} is not a file")
        text = stream.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ValueError(f"{path} is too large")
    return text


def _age(path: Path) -> float:
    try:
        return path.lstat().st_mtime
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
