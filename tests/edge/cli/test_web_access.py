"""`edge-inspect web certificate`, `first-code`, `token`: with the page stopped and running."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edge.access.asked import handlers
from edge.cli.web import app
from edge.config_file import ConfigError
from edge.requests import Desk, put
from edge.store.archive import Archive
from tests.edge.access.door import HERE, LEAD_PIN, House
from tests.edge.web.station import Station, station

TEXT = """
station: {site: a, line: b, name: c}
state_dir: state
camera: {source: synthetic}
model: {bundle: "@rings"}
web: {listen: "0.0.0.0:8443", names: [box.plant.example]}
"""

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    path = tmp_path / "edge-inspect.yaml"
    path.write_text(TEXT)

    def command(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--config", str(path)])

    return command


def records(folder: Path) -> list[dict[str, object]]:
    with Archive(folder / "state" / "queue.db") as queue:
        return [json.loads(row.body) for row in queue.rows(0, 1000, 1 << 30)]


@contextmanager
def served(plant: Station) -> Iterator[None]:
    """The desk of a running service."""
    folder, over = plant.config.state_dir / "requests" / "web", threading.Event()
    desk = Desk(folder, handlers(plant.shop.people, plant.shop.machines))

    def serve() -> None:
        while not over.wait(0.01):
            desk.step(0.0)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_certificate_and_how_to_trust_it(run: Run, tmp_path: Path) -> None:
    planned = run("certificate", "--dry-run", "--name", "more.example")
    assert planned.exit_code == 0
    assert "would make an authority" in planned.stdout
    assert not (tmp_path / "state" / "tls").exists()
    done = run("certificate", "--name", "more.example", "--address", "203.0.113.9")
    assert done.exit_code == 0
    assert "more.example, 203.0.113.9, box.plant.example" in done.stdout
    for word in ("fingerprint", "Android", "iPad", "Windows", "https://more.example:8443/"):
        assert word in done.stderr
    again = run("certificate")
    assert "made a new certificate" in again.stdout


def test_a_page_for_this_machine_only_is_told_what_to_set(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "edge-inspect.yaml"
    path.write_text(TEXT.replace("0.0.0.0:8443", "127.0.0.1:8080"))
    done = run("certificate", "--address", "127.0.0.1", "--name", "box.example")
    assert 'web: {listen: "0.0.0.0:8443"}' in done.stderr
    assert "https://box.example:8443/" in done.stderr
    assert "127.0.0.1:8443" not in done.stderr
    assert "https://127.0.0.1" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--name", "a b"),
        ("--name", "*.example"),
        ("--name", "../x"),
        ("--name", "-"),
        ("--address", "box"),
        ("--address", "1.2.3.4.5"),
    ],
)
def test_names_that_are_none(run: Run, tmp_path: Path, words: tuple[str, str]) -> None:
    assert run("certificate", *words).exit_code == 2
    assert not (tmp_path / "state").exists()


def test_the_page_does_not_start_without_one(run: Run, tmp_path: Path) -> None:
    refused = run()
    assert isinstance(refused.exception, ConfigError)
    assert "edge-inspect web certificate" in str(refused.exception)


def test_a_code_while_the_page_is_stopped(run: Run, tmp_path: Path) -> None:
    code = run("first-code").stdout.strip()
    house = House(tmp_path / "state")
    assert house.people.first(code, "Ada", "7", LEAD_PIN, HERE).role == "lead"
    house.close()
    assert [one["action"] for one in records(tmp_path)] == ["code_made"]
    refused = run("first-code")
    assert refused.exit_code == 1
    assert "there is a lead already" in refused.stderr
    assert run("first-code", "--another").exit_code == 0
    assert records(tmp_path)[-1]["details"] == records(tmp_path)[0]["details"]


def test_a_dry_run_makes_no_code(run: Run, tmp_path: Path) -> None:
    assert run("first-code", "--dry-run").exit_code == 0
    assert not (tmp_path / "state").exists()


def test_a_code_while_it_runs(run: Run, tmp_path: Path) -> None:
    run("certificate")
    with station(tmp_path) as plant, served(plant):
        assert run("first-code").exit_code == 1
        code = run("first-code", "--another").stdout.strip()
        assert plant.shop.people.first(code, "Dora", "12", "864209", HERE).role == "lead"
        left = [path.read_text() for path in (tmp_path / "state" / "requests").rglob("*.json")]
        assert left == []


def test_tokens_while_the_page_is_stopped(run: Run, tmp_path: Path) -> None:
    token = run("token", "add", "PLC", "--by", "p-1", "--right", "look").stdout.strip()
    listed = run("token", "list", "--json")
    (shown,) = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (shown["name"], shown["rights"], shown["used"]) == ("PLC", ["look"], None)
    house = House(tmp_path / "state")
    found = house.machines.find(token)
    assert found is not None
    assert found.id == shown["id"]
    house.close()
    assert "PLC  look" in run("token", "list").stdout
    assert run("token", "remove", shown["id"], "--by", "p-1").exit_code == 0
    assert run("token", "list").stdout == ""
    assert run("token", "remove", shown["id"], "--by", "p-1").exit_code == 1
    told = records(tmp_path)
    assert [(one["action"], one["by"], one["about"]) for one in told] == [
        ("token_added", "p-1", shown["id"]),
        ("token_removed", "p-1", shown["id"]),
    ]
    assert "PLC" not in json.dumps(told)


def test_tokens_while_it_runs(run: Run, tmp_path: Path) -> None:
    with station(tmp_path) as plant, served(plant):
        token = run("token", "add", "PLC", "--by", "p-1", "--right", "answer").stdout.strip()
        headers = {"authorization": f"Bearer {token}"}
        browser = plant.browser()
        assert browser.post("/api/v1/claims", {}, headers=headers).status == 204
        (one,) = plant.shop.machines.all()
        assert run("token", "remove", one.machine.id, "--by", "p-1").exit_code == 0
        assert browser.post("/api/v1/claims", {}, headers=headers).code == "signed_out"


def test_what_a_token_cannot_be_good_for(run: Run, tmp_path: Path) -> None:
    assert run("token", "add", "PLC", "--by", "p-1", "--right", "people").exit_code == 2
    refused = run("token", "add", "\u202egnp", "--by", "p-1", "--right", "look")
    assert refused.exit_code == 1
    assert run("token", "list").stdout == ""


def test_requests_of_others_are_refused(tmp_path: Path) -> None:
    """A file that somebody has put there can be nonsense in every way."""
    from edge.requests import Request

    with station(tmp_path) as plant:
        folder = plant.config.state_dir / "requests" / "web"
        desk = Desk(folder, handlers(plant.shop.people, plant.shop.machines))
        for kind, arguments in (
            ("first_code", {"another": True}),
            ("first_code", {"another": True, "hash": "xx"}),
            ("first_code", {"another": True, "hash": "00"}),
            ("first_code", {"another": "yes", "hash": "00" * 32}),
            ("token_add", {"hash": "00" * 32, "name": "x", "rights": "look"}),
            ("token_add", {"hash": "00" * 32, "name": 7, "rights": ["look"]}),
            ("token_add", {"hash": "00" * 32, "name": "x", "rights": ["people"]}),
            ("token_remove", {}),
            ("token_remove", {"machine": ["m"]}),
        ):
            request = Request(plant.shop.clock.new_id(), kind, arguments, "p-1", "somebody")
            put(folder, request)
            desk.step(0.0)
            answer = json.loads((folder / f"{request.id}.answer").read_text())
            assert answer["ok"] is False, (kind, arguments)
        assert plant.shop.machines.all() == []
        assert not plant.shop.people.code_waits
