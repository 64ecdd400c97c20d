"""A browser for tests of the application: it speaks ASGI to it, keeps cookies, follows nothing."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

HOST = "127.0.0.1:8080"
ORIGIN = f"http://{HOST}"
GIVE_UP_S = 60.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> str | None:
        try:
            found = self.json
        except ValueError:
            return None
        return found["error"]["code"] if isinstance(found, dict) and "error" in found else None

    @property
    def cookies(self) -> list[str]:
        return [value for key, value in self.headers if key == "set-cookie"]


class Running:
    """The application in an event loop of its own, in another thread, as under uvicorn."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        waiting: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return waiting.result(GIVE_UP_S)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def running(app: Any) -> Iterator[Running]:
    found = Running(app)
    try:
        yield found
    finally:
        found.close()


@dataclass
class Browser:
    """One browser, at one address. `csrf` is sent with everything, once it is known."""

    to: Running
    address: str = "10.0.0.1"
    scheme: str = "http"
    host: str = HOST
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str | None = None

    def get(self, path: str, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
        return self.ask("GET", path, headers=headers, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.ask("POST", path, body, **more)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        form: bool = False,
        headers: Mapping[str, str] | None = None,
        without: tuple[str, ...] = (),
        drop: bool = False,
    ) -> Answer:
        """One request. Headers of a browser that behaves, `headers` over them, `without` some;
        with `drop` the connection ends as soon as the answer has begun."""
        sent = {"host": self.host, "accept": "text/html" if form else "application/json"}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method != "GET":
            sent["origin"] = f"{self.scheme}://{self.host}"
            sent["sec-fetch-site"] = "same-origin"
            if self.csrf and not form:
                sent["x-csrf-token"] = self.csrf
        data = b""
        if isinstance(body, bytes):
            data = body
        elif form and body is not None:
            data = urlencode({**({"csrf": self.csrf} if self.csrf else {}), **body}).encode()
            sent["content-type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            data = json.dumps(body).encode()
            sent["content-type"] = "application/json"
        sent |= dict(headers or {})
        pairs = [(name, value) for name, value in sent.items() if name not in without]
        answer = self.raw(method, path, pairs, data, drop)
        self._keep(answer)
        return answer

    def raw(
        self,
        method: str,
        path: str,
        headers: list[tuple[str, str]],
        data: bytes = b"",
        drop: bool = False,
    ) -> Answer:
        """Exactly these headers."""
        return self.to.run(self._ask(method, path, headers, data, drop))

    def sign_in(self, number: str, pin: str) -> Answer:
        answer = self.post("/sign-in", {"number": number, "pin": pin})
        if answer.status == 200:
            self.csrf = answer.json["csrf"]
        return answer

    async def _ask(
        self, method: str, path: str, headers: list[tuple[str, str]], data: bytes, drop: bool
    ) -> Answer:
        parts = urlsplit(path)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": self.scheme,
            "path": unquote(parts.path),
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(a.lower().encode(), b.encode("latin-1")) for a, b in headers],
            "client": (self.address, 50000),
            "server": ("127.0.0.1", 8080),
        }
        coming: list[dict[str, Any]] = [{"type": "http.request", "body": data, "more_body": False}]
        gone, got = asyncio.Event(), []

        async def receive() -> dict[str, Any]:
            if coming:
                return coming.pop(0)
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            got.append(message)
            if drop:
                gone.set()

        await asyncio.wait_for(self.to.app(scope, receive, send), GIVE_UP_S)
        start = next(one for one in got if one["type"] == "http.response.start")
        body = b"".join(one.get("body", b"") for one in got if "body" in one)
        kept = [(a.decode("latin-1"), b.decode("latin-1")) for a, b in start["headers"]]
        return Answer(start["status"], kept, body)

    def _keep(self, answer: Answer) -> None:
        for text in answer.cookies:
            for name, morsel in SimpleCookie(text).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
