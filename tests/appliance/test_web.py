"""The page as a process: its start, its end, its death, and what keeps it from starting."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edge.demo.joining import opened
from edge.status import of_station
from edge.statusfile import StatusFile
from edge.store.lock import Lock
from edge.web.certificate import Files
from tests.appliance.station import config_of, start, station
from tests.edge.web.parts import LineOfTests, picture
from tests.simulators.broker import free_port
from tests.simulators.patience import beside, until


class Page:
    """A station whose page runs as a child process; a program with a token speaks to it."""

    def __init__(self, folder: Path, **web: Any) -> None:
        self.port = free_port()
        self.host = web.pop("host", "127.0.0.1")
        listen = f"{self.host}:{self.port}"
        camera = {"source": "synthetic", "width": 160, "height": 120}
        self.settings = station(folder, camera, web={"listen": listen, **web})
        self.config = config_of(self.settings)
        self.process: subprocess.Popen[str] | None = None
        self.token = ""
        self.trust: ssl.SSLContext | None = None

    def join(self) -> None:
        """Let the program in, before the page starts."""
        with opened(self.config) as (people, machines):
            code = people.first_code()
            assert code is not None
            lead = people.first(code, "Lena", "100", "482913", "127.0.0.1")
            self.token = machines.add(lead.id, "sorter", ["answer", "look"])

    def start(self) -> None:
        self.process = start(self.settings, "web", stderr=subprocess.PIPE)
        until(self.answers, beside(self.process))

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.process.communicate()
        try:
            return self.ask("GET", "/api/v1/health")[0] == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = self.connection()
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = None if body is None else json.dumps(body)
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def connection(self) -> http.client.HTTPConnection:
        if self.trust is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        return http.client.HTTPSConnection("localhost", self.port, timeout=60, context=self.trust)

    def waits(self, count: int) -> Any:
        """The overview, once so many parts wait."""
        assert self.process is not None
        shown: list[Any] = []

        def there() -> bool:
            shown[:] = [self.ask("GET", "/api/v1/queue")[1]]
            return bool(shown[0]["waiting"] == count)

        until(there, beside(self.process))
        return shown[0]

    def end(self, by: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        assert self.process is not None
        self.process.send_signal(by)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@pytest.fixture
def page(tmp_path: Path) -> Any:
    made = Page(tmp_path)
    made.join()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.communicate()


def test_it_starts_serves_and_ends_in_good_order_with_a_stream_open(page: Page) -> None:
    line = LineOfTests(page.config.state_dir)
    line.asks(part := line.part("P-1", picture()))
    page.start()
    assert page.waits(1)["items"][0]["inspection"] == part.id
    stream = page.connection()
    stream.request("GET", "/events", headers={"Authorization": f"Bearer {page.token}"})
    events = stream.getresponse()
    assert events.readline().startswith(b"retry:")
    code, said = page.end()
    assert (code, "web.stopped" in said) == (0, True)
    assert events.read().count(b"event: queue") >= 1, "the stream has ended, not broken"
    stream.close()
    status = StatusFile(page.config.status_folder, "web").read()
    assert status is not None
    assert status["state"] == "stopped"


def test_an_answer_outlives_kill_9_and_claims_do_not(page: Page) -> None:
    line = LineOfTests(page.config.state_dir)
    line.asks(*(line.part(f"P-{number}", picture()) for number in range(3)))
    page.start()
    page.waits(3)
    claim = page.ask("POST", "/api/v1/claims", {})[1]
    case = claim["case"]
    body = {name: case[name] for name in ("inspection", "picture")}
    answer = {"claim": claim["claim"], "verdict": "reject", **body}
    assert page.ask("POST", "/api/v1/verdicts", answer)[0] == 200
    assert page.ask("POST", "/api/v1/claims", {})[1]["case"]["part_id"] == "P-1"
    page.end(signal.SIGKILL)
    page.start()
    shown = page.waits(2)
    assert [item["claimed"] for item in shown["items"]] == [False, False]
    state = page.ask("GET", f"/api/v1/inspections/{case['inspection']}/state")[1]
    assert state["state"] == "answered"
    assert page.ask("POST", "/api/v1/verdicts", answer)[1]["error"]["code"] in (
        "replayed", "expired", "answered",
    )  # fmt: skip


def test_the_station_s_status_counts_it_while_it_runs(page: Page) -> None:
    page.start()

    def written() -> bool:
        return len(of_station(page.config)) > 1 and of_station(page.config)[1].running

    assert page.process is not None
    until(written, beside(page.process))
    web = of_station(page.config)[1]
    assert web.word == "degraded"
    assert [cause["what"] for cause in web.content["causes"]] == [  # type: ignore[attr-defined]
        "the line does not run"
    ]
    page.ask("GET", "/nothing")
    until(lambda: _refused(page).get("unknown") == 1, beside(page.process))


def _refused(page: Page) -> Any:
    return of_station(page.config)[1].content.get("refused")


def test_who_holds_the_queue_is_named(page: Page) -> None:
    with Lock(page.config.state_dir / "queue.lock", "somebody"):
        code, said = _ended(start(page.settings, "web", stderr=subprocess.PIPE))
    assert code == 1
    assert "somebody" in said


def test_an_address_that_is_taken(page: Page) -> None:
    with socket.create_server(("127.0.0.1", page.port)):
        code, said = _ended(start(page.settings, "web", stderr=subprocess.PIPE))
    assert code == 1
    assert f"cannot listen on 127.0.0.1:{page.port}" in said


@pytest.mark.parametrize(
    ("web", "word"), [({"lock_after_s": 1}, "lock_after_s"), ({"listne": "x"}, "did you mean")]
)
def test_a_wrong_configuration(tmp_path: Path, web: dict[str, Any], word: str) -> None:
    camera = {"source": "synthetic", "width": 160, "height": 120}
    settings = station(tmp_path, camera, web=web)
    code, said = _ended(start(settings, "web", stderr=subprocess.PIPE))
    assert code == 2
    assert word in said


@pytest.mark.slow
def test_other_machines_need_tls(tmp_path: Path) -> None:
    page = Page(tmp_path, host="0.0.0.0")
    code, said = _ended(start(page.settings, "web", stderr=subprocess.PIPE))
    assert code == 2
    assert "edge-inspect web certificate" in said
    made = start(page.settings, "web", "certificate", stderr=subprocess.PIPE)
    assert _ended(made)[0] == 0
    files = Files(page.config.state_dir / "tls")
    page.trust = ssl.create_default_context(cafile=str(files.authority))
    page.join()
    page.start()
    assert page.ask("GET", "/api/v1/queue")[1]["waiting"] == 0
    with socket.create_connection(("127.0.0.1", page.port), timeout=60) as plain:
        plain.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert not plain.recv(100).startswith(b"HTTP"), "plain HTTP gets no answer"
    assert page.end()[0] == 0


def test_a_damaged_queue_is_set_aside_while_it_runs(page: Page) -> None:
    line = LineOfTests(page.config.state_dir)
    line.asks(*(line.part(f"P-{number}") for number in range(2)))
    page.start()
    page.waits(2)
    queue = page.config.state_dir / "queue.db"
    data = bytearray(queue.read_bytes())
    data[:100] = b"\0" * 100
    queue.write_bytes(data)
    assert page.process is not None
    aside = page.config.state_dir / "damaged"
    until(lambda: aside.exists() and any(aside.iterdir()), beside(page.process))
    claim = page.ask("POST", "/api/v1/claims", {})[1]
    body = {"claim": claim["claim"], "inspection": claim["case"]["inspection"], "picture": None}
    assert page.ask("POST", "/api/v1/verdicts", {**body, "verdict": "accept"})[0] == 200
    assert page.waits(1)["waiting"] == 1


def test_a_damaged_web_db_is_set_aside_and_a_code_lets_the_first_lead_in(page: Page) -> None:
    (page.config.state_dir / "web.db").write_bytes(b"no database at all" * 500)
    page.token = ""
    page.start()
    code, said = page.end()
    assert code == 0
    assert "web.damaged" in said
    assert "web.first_code" in said


def _ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=60)
    return process.returncode, said
