"""What `check` finds at a real broker, and at one that announces too little."""

from __future__ import annotations

import subprocess

import pytest

from edge import broker as edge_broker
from edge.broker_check import check_broker
from edge.config_file import load
from sync.expiry import Facts
from sync.fleet.acl import mosquitto
from tests.simulators.broker import free_port, running_broker
from tests.simulators.pki import Authority
from tests.sync.test_opening import Peer

pytestmark = [
    pytest.mark.broker,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
CAPS = "plant-a/line-3/caps"


@pytest.fixture
def look(tmp_path):
    """The findings with this section `sync`."""

    def make(sync):
        path = tmp_path / "edge-inspect.yaml"
        path.write_text(
            "station: {site: plant-a, line: line-3, name: caps}\nstate_dir: state\n"
            f'camera: {{source: synthetic}}\nmodel: {{bundle: "@rings"}}\n{sync}\n'
        )
        return list(check_broker(load(path)))

    return make


def told(findings, state):
    return " | ".join(f"{one.name}: {one.what}" for one in findings if one.state == state)


@pytest.fixture(scope="module")
def open_broker(tmp_path_factory):
    with running_broker(tmp_path_factory.mktemp("open")) as running:
        yield running


def test_without_a_broker(look):
    (found,) = look("")
    assert (found.state, found.what) == ("ok", "none configured: nothing leaves this machine")


def test_nobody_listens(look):
    (found,) = look(f"sync: {{broker: 'mqtt://127.0.0.1:{free_port()}'}}")
    assert found.state == "warn"
    assert "nobody listens" in found.what


def test_a_broker_that_anybody_may_use(look, open_broker):
    found = look(f"sync: {{broker: '{open_broker.url}'}}")
    assert told(found, "warn") == told(found, "fail") == ""
    assert "takes us; delivered means: the broker said so" in told(found, "ok")


def test_anybody_may_acknowledge(look, open_broker):
    found = look(f"sync: {{broker: '{open_broker.url}', acknowledge: collector}}")
    assert "a collector holds it" in told(found, "ok")
    warned = told(found, "warn")
    assert f"anybody may acknowledge in a collector's place: ei/v1/{CAPS}/ack/check" in warned
    assert f"ei/v1/{CAPS}/rewind" in warned


def test_with_a_key_it_does_not_matter_who_writes(look, open_broker, tmp_path):
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef\n")
    found = look(
        f"sync: {{broker: '{open_broker.url}', acknowledge: collector, ack_key_file: key}}"
    )
    assert told(found, "warn") == ""
    assert "must carry an HMAC" in told(found, "ok")


@pytest.fixture
def guarded(tmp_path):
    """A broker with our access file; the station's password is in `login`."""
    passwords, access = tmp_path / "passwords", tmp_path / "acl"
    passwords.touch(mode=0o600)
    for user in (CAPS, "someone"):
        subprocess.run(["mosquitto_passwd", "-b", passwords, user, "secret"], check=True)
    access.write_text(mosquitto(["central"]))
    access.chmod(0o600)
    rules = ("allow_anonymous false", f"password_file {passwords}", f"acl_file {access}")
    with running_broker(tmp_path / "broker", rules) as running:
        yield running


def test_with_our_access_file_only_collectors_acknowledge(look, guarded, tmp_path):
    (tmp_path / "login").write_text(f"{CAPS}\nsecret\n")
    sync = f"sync: {{broker: '{guarded.url}', acknowledge: collector, credentials_file: login}}"
    found = look(sync)
    assert told(found, "warn") == told(found, "fail") == ""
    assert "refuses acknowledgements that are no collector's" in told(found, "ok")


def test_a_user_that_is_not_the_station(look, guarded, tmp_path):
    (tmp_path / "login").write_text("someone\nsecret\n")
    found = look(f"sync: {{broker: '{guarded.url}', credentials_file: login}}")
    assert f"refuses that this station writes ei/v1/{CAPS}/check" in told(found, "warn")


def test_a_wrong_password(look, guarded, tmp_path):
    (tmp_path / "login").write_text(f"{CAPS}\nwrong\n")
    found = look(f"sync: {{broker: '{guarded.url}', credentials_file: login}}")
    assert "user or password is wrong" in told(found, "warn")


def test_a_password_in_the_clear(look, tmp_path):
    (tmp_path / "login").write_text("caps\nsecret\n")
    found = look("sync: {broker: 'mqtt://broker.invalid', credentials_file: login}")
    assert "goes over the network in the clear" in told(found, "warn")


@pytest.mark.parametrize(
    ("properties", "acknowledge", "state", "words"),
    [
        ("24 00", "broker", "fail", "takes QoS 0 only"),
        ("27 00001000", "broker", "warn", "at most 4096 bytes"),
        ("21 0004", "broker", "warn", "takes 4 messages at a time"),
        ("25 00", "broker", "warn", "keeps no retained messages: status is not"),
        ("25 00", "collector", "warn", "status and acknowledgements are not"),
        ("2a 00", "collector", "warn", "no shared subscriptions"),
        ("28 00", "collector", "warn", "no wildcard subscriptions"),
        ("11 00000000", "broker", "warn", "keeps no sessions"),
        ("13 ffff", "broker", "warn", "only every 65535 s"),
        ("13 0000", "broker", "warn", "never"),
    ],
)
def test_a_broker_that_announces_too_little(
    look, monkeypatch, properties, acknowledge, state, words
):
    monkeypatch.setattr("edge.broker_check.CONNECT_WITHIN_S", 5.0)
    monkeypatch.setattr("edge.broker_check.rights", lambda *_: iter(()))
    body = bytes.fromhex(properties)
    peer = Peer(bytes([0x20, 3 + len(body), 0, 0, len(body)]) + body)
    found = look(f"sync: {{broker: '{peer.url}', acknowledge: {acknowledge}}}")
    peer.close()
    assert words in told(found, state)
    assert len([one for one in found if one.state != "ok"]) == 1


def test_mosquitto_s_own_limits_are_seen(look, tmp_path):
    rules = ("max_packet_size 5000", "max_inflight_messages 4", "retain_available false")
    with running_broker(tmp_path / "small", rules) as small:
        warned = told(look(f"sync: {{broker: '{small.url}'}}"), "warn")
    for words in ("at most 5000 bytes", "takes 4 messages", "no retained messages"):
        assert words in warned


def test_certificates_that_end_soon(look, tmp_path):
    pki, port = Authority(tmp_path / "pki"), free_port()
    server, caps = pki.issue("broker", ("127.0.0.1",), end=20), pki.issue("caps", end=7)
    rules = (
        f"listener {port} 127.0.0.1",
        f"cafile {pki.file}",
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        "require_certificate true",
        "allow_anonymous true",
    )
    sync = (
        f"sync: {{broker: 'mqtts://127.0.0.1:{port}', ca_file: '{pki.file}', "
        f"certificate_file: '{caps.certificate}', key_file: '{caps.key}'}}"
    )
    with running_broker(tmp_path / "broker", rules):
        found = [one for one in look(sync) if one.name == "certificate"]
    assert [one.what for one in found] == [
        f"our certificate (caps) ends on {caps.end}",
        f"the certificate of mqtts://127.0.0.1:{port} ends on {server.end}",
    ]
    assert {one.state for one in found} == {"warn"}


def test_certificates_that_last(look, tmp_path):
    pki, port = Authority(tmp_path / "pki"), free_port()
    server = pki.issue("broker", ("127.0.0.1",), end=200.5)
    rules = (
        f"listener {port} 127.0.0.1",
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        "allow_anonymous true",
    )
    sync = f"sync: {{broker: 'mqtts://127.0.0.1:{port}', ca_file: '{pki.file}'}}"
    with running_broker(tmp_path / "broker", rules):
        (found,) = (one for one in look(sync) if one.name == "certificate")
    assert found.state == "ok"
    assert found.what.endswith(f"{server.end}, in 200 days")


class Watched:
    """A transport that has seen a certificate."""

    broker_certificate = None


def test_the_watch_reads_a_file_again_when_it_has_changed(tmp_path):
    from sync.broker import Address, Login
    from sync.settings import Settings

    pki = Authority(tmp_path / "pki")
    old, new = pki.issue("old", end=10), pki.issue("new", end=300)
    path = tmp_path / "certificate.pem"
    settings = Settings(Address("x", 8883, True), "id", Login(certificate=path))
    watch = edge_broker.CertificateWatch(settings, Watched())
    assert watch.troubles() == []
    assert watch.until() is None
    path.write_bytes(old.certificate.read_bytes())
    for _ in range(2):
        assert [x.what for x in watch.troubles()] == [f"our certificate (old) ends on {old.end}"]
    assert watch.until().startswith(old.end)
    new.certificate.replace(path)
    assert watch.troubles() == []
    assert watch.until().startswith(new.end)


def test_what_this_machine_knows_of_the_time():
    found = edge_broker.facts()
    assert isinstance(found, Facts)
    assert 1.5e9 < found.software_from <= found.now
