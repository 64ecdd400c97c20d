"""The API of the demo's page, as a machine with a token uses it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from edge.demo.operator import Asked, Waiting

PATIENCE_S = 5.0
DONE, NOTHING, REFUSED = 200, 204, 400


class NoPage(Exception):
    """The page does not answer, or not as its API says."""


@dataclass(frozen=True, slots=True)
class Page:
    """Calls on one address. Each is a connection of its own: there are few, and none can go stale.

    Raises NoPage.
    """

    port: int
    token: str

    def waiting(self) -> Iterable[Waiting]:
        """What waits, in the order in which it is to be answered."""
        _, found = self._call("GET", "/api/v1/queue")
        for item in found["items"]:
            yield Waiting(item["inspection"], item["left_s"], bool(item["claimed"]))

    def claim(self, inspection: str) -> Asked | None:
        """Take a part, so that nobody else answers it meanwhile; None where it is gone."""
        status, found = self._call("POST", "/api/v1/claims", {"inspection": inspection})
        if status != DONE:
            return None
        case = found["case"]
        return Asked(found["claim"], case["inspection"], case["picture"], tuple(case["types"]))

    def answer(self, asked: Asked, verdict: str, label: str | None) -> bool:
        """Give an answer; whether it was recorded (somebody may have been faster)."""
        content = {
            "claim": asked.claim,
            "inspection": asked.inspection,
            "picture": asked.picture,
            "verdict": verdict,
        }
        if label is not None:
            content["label"] = label
        status, _ = self._call("POST", "/api/v1/verdicts", content)
        return status == DONE

    def _call(
        self, method: str, path: str, content: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.token}"}
        body = None
        if content is not None:
            body, headers["Content-Type"] = json.dumps(content), "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read()
            found = json.loads(text) if text else {}
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoPage(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        if response.status >= REFUSED and (method == "GET" or not isinstance(found, dict)):
            raise NoPage(f"{method} {path}: {response.status}")
        return response.status, found
