"""Tablets beside the line, for `page.py` and `line.py`: signed in, looking, answering.

    python benchmarks/tablets.py '{"address": "127.0.0.1:8080", "tablets": 10, "person": "1", …}'

Each has the connections of a browser that has the queue open: a stream of events, the state of the
queue at each event, a claim, its picture, an answer every few seconds. It runs until it is ended.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

NUMBER, PIN = "1", "284605"
LOOKS_S = (2.0, 4.0)


def let_in(config: Any) -> None:
    """One lead of the station, whose page must be stopped."""
    from edge.demo.joining import opened

    with opened(config) as (people, _):
        code = people.first_code()
        assert code is not None, "the benchmark's station is new"
        people.first(code, "Bench", NUMBER, PIN, "127.0.0.1")


@dataclass
class Tablet:
    """One browser, as far as the server can tell."""

    address: str
    cookie: str = ""
    csrf: str = ""

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(self.address, timeout=30)

    def sign_in(self) -> None:
        """With number and PIN."""
        answer, _ = self.ask("POST", "/sign-in", {"number": NUMBER, "pin": PIN})
        self.csrf = json.loads(answer)["csrf"]

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[bytes, int]:
        """The answer's body and status. Raises AssertionError for what a page never asks for."""
        headers = {"Origin": f"http://{self.address}", "X-CSRF-Token": self.csrf}
        if self.cookie:
            headers["Cookie"] = self.cookie
        data = None
        if method != "GET":
            headers["Content-Type"], data = "application/json", json.dumps(body or {})
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if given := answer.getheader("Set-Cookie"):
            self.cookie = given.split(";")[0]
        assert answer.status < 400 or answer.status == 409, (path, answer.status, content[:300])
        return content, answer.status

    def claim(self) -> dict[str, Any] | None:
        """The next part; None where nothing waits."""
        content, status = self.ask("POST", "/api/v1/claims")
        return dict(json.loads(content)) if status == 200 else None

    def answer(self, claim: Mapping[str, Any], verdict: str = "reject") -> int:
        """Answer about a part that was claimed; the status."""
        case = claim["case"]
        given = {"claim": claim["claim"], "verdict": verdict}
        given |= {"inspection": case["inspection"], "picture": case["picture"]}
        return self.ask("POST", "/api/v1/verdicts", given)[1]


def listen(tablet: Tablet) -> None:
    """The stream of events, and the state of the queue at each."""
    stream = http.client.HTTPConnection(tablet.address, timeout=60)
    stream.request("GET", "/events", headers={"Cookie": tablet.cookie})
    other = Tablet(tablet.address, tablet.cookie, tablet.csrf)
    for line in stream.getresponse():
        if line.startswith(b"event: queue"):
            other.ask("GET", "/api/v1/queue")


def look(tablet: Tablet) -> None:
    """Claim, look at the picture, answer, for ever."""
    while True:
        claim = tablet.claim()
        if claim is None:
            time.sleep(1.0)
            continue
        if claim["case"]["picture_url"]:
            tablet.ask("GET", claim["case"]["picture_url"])
        time.sleep(random.uniform(*LOOKS_S))
        tablet.answer(claim)


def use(address: str, tablets: int) -> None:
    """So many tablets, until this process is ended."""
    for _ in range(tablets):
        tablet = Tablet(address)
        tablet.sign_in()
        for work in (listen, look):
            threading.Thread(target=work, args=(tablet,), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    use(**json.loads(sys.argv[1]))
