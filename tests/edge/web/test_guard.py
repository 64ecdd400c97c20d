"""The pieces of the guard: names, origins, bodies, headers, and how many may wait."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from edge.access.denied import STATUS, Denied
from edge.web import bodies, guard
from edge.web.call import Call
from edge.web.headers import ALWAYS, completed
from edge.web.origin import Hosts, own_origin
from edge.web.rule import Rule
from tests.edge.web.station import Station, station
from tests.edge.web.visiting import Browser, running
from tests.simulators.patience import until

HOSTS = Hosts("192.168.1.5:8443", ("station.plant.example", "[fd00::5]"), ("box", "box.local"))


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8080",
        "LOCALHOST.",
        "127.0.0.1:9",
        "[::1]:8080",
        "192.168.1.5",
        "192.168.1.5:8443",
        "station.plant.example:443",
        "Box.local",
        "[fd00::5]:8443",
        "10.1.2.3:8443",
    ],
)
def test_names_that_are_ours(host: str) -> None:
    assert HOSTS.ours(host, "10.1.2.3")


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":8080",
        "evil.example",
        "localhost.evil.example",
        "evil.example:8443",
        "10.1.2.4",
        "plant.example",
        "localhost:8080:1",
        "localhost:x",
        "localhost:99999",
        "user@localhost",
        "localhost/..",
        "0.0.0.0:8443",
        "[::]:8443",
        "2130706433",
        "127.1",
        "127.0.0.1.nip.example",
    ],
)
def test_names_that_are_not(host: str) -> None:
    assert not HOSTS.ours(host, "10.1.2.3")


def test_a_station_that_listens_everywhere_is_not_called_so() -> None:
    everywhere = Hosts("0.0.0.0:8443", (), ("box",))
    assert not everywhere.ours("0.0.0.0:8443", "10.1.2.3")
    assert everywhere.ours("10.1.2.3:8443", "10.1.2.3")
    assert everywhere.ours("10.1.2.3:8443", "::ffff:10.1.2.3")
    assert not everywhere.ours("10.1.2.3:8443", None)


@pytest.mark.parametrize(
    ("host", "origin", "scheme"),
    [
        ("box:8443", "https://box:8443", "https"),
        ("box", "https://box", "https"),
        ("box:443", "https://box", "https"),
        ("box", "https://box:443", "https"),
        ("BOX:8443", "https://box:8443", "https"),
        ("[::1]:8080", "http://[::1]:8080", "http"),
    ],
)
def test_origins_that_are_ours(host: str, origin: str, scheme: str) -> None:
    assert own_origin({"host": host, "origin": origin}, scheme)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "box:8443",
        "http://box:8443",
        "https://box",
        "https://box:8444",
        "https://evil.example",
        "https://box:8443.evil.example",
        "https://box:8443/",
        "https://box:8443/x",
        "https://box:8443?x",
        "https://box:8443#x",
        "https://a@box:8443",
        "https://[box:8443",
        "https://box:8443 https://evil.example",
    ],
)
def test_origins_that_are_not(origin: str) -> None:
    headers = {"host": "box:8443", "origin": origin, "sec-fetch-site": "same-origin"}
    assert not own_origin(headers, "https")


def test_without_an_origin_the_browser_must_say_that_it_is_ours() -> None:
    assert own_origin({"host": "box", "sec-fetch-site": "same-origin"}, "https")
    for site in ("none", "same-site", "cross-site", ""):
        assert not own_origin({"host": "box", "sec-fetch-site": site}, "https")
    assert not own_origin({"host": "box"}, "https")


@given(st.binary(max_size=300), st.sampled_from(["application/json", "text/plain", ""]))
def test_whatever_comes_is_an_object_or_nonsense(body: bytes, kind: str) -> None:
    try:
        assert isinstance(bodies.parsed(body, kind), dict)
    except Denied as denied:
        assert denied.code == "nonsense"  # noqa: PT017 - either is right


@given(st.dictionaries(st.text("abcö<>&=% ", max_size=9), st.text("abcö<>&=% \n", max_size=9)))
def test_forms_and_json_say_the_same(fields: dict[str, str]) -> None:
    from urllib.parse import urlencode

    form = bodies.parsed(urlencode(fields).encode(), "application/x-www-form-urlencoded")
    assert form == bodies.parsed(json.dumps(fields).encode(), "application/json; charset=utf-8")


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"1",
        b"{",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\u202e"}',
        b'{"a": "\\u001b"}',
        b'{"\\u0000": 1}',
        b'{"a": "\\ud800"}',
        b'{"a": [["\\u2066"]]}',
        b'{"a": 1e400}',
        b'{"a": 99999999999999999999}',
        b"\xff\xfe{}",
        b'{"a":' + b"[" * 30_000,
        b'{"a":' + b"[" * 9 + b"]" * 9 + b"}",
        b'{"a": [' + b"1," * 3000 + b"1]}",
    ],
)
def test_bodies_that_are_nonsense(text: bytes) -> None:
    with pytest.raises(Denied) as raised:
        bodies.parsed(text, "application/json")
    assert raised.value.code == "nonsense"


@pytest.mark.parametrize("text", [b"a", b"a=1&a=2", b"a=%ff", b"a=%00", b"\xff=1", b"&" * 500])
def test_forms_that_are_nonsense(text: bytes) -> None:
    with pytest.raises(Denied):
        bodies.parsed(text, "application/x-www-form-urlencoded")


def test_what_people_write_is_taken_as_it_is() -> None:
    note = {"note": "<script>alert(1)</script>\n../../etc\tÜmit ✓ 'x' \"y\" {{7*7}}"}
    assert bodies.parsed(json.dumps(note).encode(), "application/json") == note


def test_no_endpoint_can_weaken_the_headers() -> None:
    loose = [(b"Content-Security-Policy", b"default-src *"), (b"X-Frame-Options", b"ALLOW")]
    found = completed(loose)
    assert [value for name, value in found if name == b"content-security-policy"] == [
        ALWAYS["content-security-policy"].encode()
    ]
    assert (b"cache-control", b"no-store") in found
    kept = completed([(b"cache-control", b"private, max-age=60")])
    assert (b"cache-control", b"private, max-age=60") in kept
    assert (b"cache-control", b"no-store") not in kept


def test_the_policy_allows_nothing_from_elsewhere() -> None:
    rules = dict(one.split(" ", 1) for one in ALWAYS["content-security-policy"].split("; "))
    assert rules["default-src"] == "'none'"
    for name, sources in rules.items():
        assert set(sources.split()) <= {"'self'", "'none'", "blob:", "data:"}, name
    assert rules["script-src"] == rules["style-src"] == "'self'"


def test_every_refusal_has_a_status_and_words_in_both_languages() -> None:
    from edge.web.texts import Texts

    for language in ("en", "de"):
        words = Texts().of(language)
        for code in (*STATUS, "failed", "other"):
            assert words.has(f"denied.{code}"), (language, code)


class Own:
    """An application of rules of our own, on a real station's parts."""

    def __init__(self, plant: Station) -> None:
        self.plant = plant
        self.guard = guard.Guard(plant.shop)
        self.held = threading.Event()
        self.entered = threading.Semaphore(0)

    def wait(self, call: Call) -> Response:
        self.entered.release()
        self.held.wait(60)
        return JSONResponse({})

    def app(self) -> Any:
        from starlette.applications import Starlette

        from edge.web.gate import Gate, hosts_of

        def fails(call: Call) -> Response:
            raise ZeroDivisionError("secret words")

        def echo(call: Call) -> Response:
            return JSONResponse(dict(call.body))

        rules = (
            Rule("POST", "/guess", self.wait, "anyone", counted=True),
            Rule("GET", "/picture", self.wait, "anyone", heavy=True),
            Rule("GET", "/fails", fails, "anyone"),
            Rule("POST", "/api/echo", echo, "look", machines=True),
        )
        app = Starlette(routes=[self.guard.route(one) for one in rules])
        return Gate(app, hosts_of(self.plant.config.web), self.plant.shop.refused)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with station(tmp_path_factory.mktemp("plant")) as found:
        yield found


def test_an_error_of_ours_says_nothing_but_that(
    plant: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(Own(plant).app()) as app:
        answer = Browser(app).get("/fails")
    assert (answer.status, answer.code) == (500, "failed")
    assert "secret words" not in answer.text
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert answer.header("content-security-policy")


def test_the_token_of_the_form_is_not_handed_on(plant: Station) -> None:
    with running(Own(plant).app()) as app:
        browser = plant.entered("8")
        browser.to = app
        answer = browser.post("/api/echo", {"a": "1"}, form=True)
        assert answer.json == {"a": "1"}


def test_a_program_needs_neither_origin_nor_token(plant: Station) -> None:
    token = plant.shop.machines.add(None, "PLC", ["look"])
    headers = {"authorization": f"Bearer {token}"}
    with running(Own(plant).app()) as app:
        bare = Browser(app)
        answer = bare.post("/api/echo", {"a": 1}, headers=headers, without=("origin",))
        assert answer.json == {"a": 1}
        evil = {**headers, "authorization": "Basic Og=="}
        assert bare.post("/api/echo", {}, headers=evil).code == "signed_out"


def test_guesses_wait_for_each_other_and_not_without_end(
    plant: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at a time, a few in line, the others are sent away at once; everything else goes on."""
    monkeypatch.setattr(guard, "MOST_WAITING_FOR_PINS", 3)
    own = Own(plant)
    with running(own.app()) as app:
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda: answers.append(Browser(app).post("/guess", {}).status))
            for _ in range(5)
        ]
        for one in threads[:2]:
            one.start()
        for _ in range(guard.THREADS_FOR_PINS):
            assert own.entered.acquire(timeout=60)
        for one in threads[2:]:
            one.start()
        line = own.guard._threads["pins"]
        until(lambda: line.statistics().tasks_waiting == 3, lambda: own.held.wait(0.01))
        told = Browser(app).post("/guess", {})
        assert (told.status, told.code) == (503, "busy")
        assert told.header("retry-after") == "1"
        assert Browser(app).get("/fails").status == 500, "others have threads of their own"
        own.held.set()
        for one in threads:
            one.join()
        assert sorted(answers) == [200] * 5


def test_a_screen_full_of_pictures_holds_up_nothing_else(plant: Station) -> None:
    own = Own(plant)
    with running(own.app()) as app:
        threads = [
            threading.Thread(target=lambda: Browser(app).get("/picture"))
            for _ in range(2 * guard.THREADS)
        ]
        for one in threads:
            one.start()
        for _ in range(guard.THREADS_FOR_PICTURES):
            assert own.entered.acquire(timeout=60)
        assert Browser(app).get("/fails").status == 500
        assert not own.held.is_set()
        own.held.set()
        for one in threads:
            one.join()


def test_two_names_at_once_are_refused(plant: Station) -> None:
    pairs = [("host", "127.0.0.1:8080"), ("host", "evil.example")]
    assert plant.browser().raw("GET", "/sign-in", pairs).code == "foreign_host"
    assert plant.browser().raw("GET", "/sign-in", []).code == "foreign_host"


def test_too_many_headers_and_too_long_addresses(plant: Station) -> None:
    many = [("host", "127.0.0.1:8080"), *((f"x-{number}", "1") for number in range(100))]
    assert plant.browser().raw("GET", "/sign-in", many).status == 431
    assert plant.browser().get("/" + "x" * 5000).status == 431


def test_a_body_that_says_nothing_of_its_length(plant: Station, tmp_path: Path) -> None:
    browser = plant.browser()
    for length in ("-1", "x", "99999999"):
        answer = browser.post("/sign-in", {"language": "de"}, headers={"content-length": length})
        assert (answer.status, answer.code) == (413, "too_large")


def test_the_page_speaks_no_other_protocol(plant: Station) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/events", "headers": [(b"host", b"127.0.0.1:8080")]}
    plant.running.run(plant.running.app(scope, receive, send))
    assert [one["type"] for one in sent] == ["websocket.close"]
