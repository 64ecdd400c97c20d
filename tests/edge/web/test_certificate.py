"""The station's own authority: what it signs, what it does not, and who believes it."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509

from edge.config import Web
from edge.store.errors import StoreError
from edge.web import certificate
from edge.web.certificate import FOLDER, Files, beyond_loopback, files_of, make, names_of
from edge.web.own_names import addresses
from edge.web_check import check_web, needs_certificate
from tests.edge.web.station import config_in

NOW = datetime.now(timezone.utc).replace(microsecond=0)
NAMES = ("box.plant.example", "203.0.113.7")
FOUND = ("box", "box.local", "192.168.1.5", "fd00::5", "localhost", "127.0.0.1", "::1")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def shaken(files: Files, host: str) -> str:
    """Speak TLS to a server with this certificate, as a tablet that trusts the authority does:
    what was wrong, or nothing."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    client = ssl.create_default_context(cafile=str(files.authority))
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as speaking:
                speaking.recv(1)
        except OSError:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=host) as speaking:
            speaking.send(b"x")
        return ""
    except ssl.SSLError as error:
        return str(error)
    finally:
        ours.close()
        thread.join()


def test_a_tablet_that_trusts_the_authority_believes_the_station(tmp_path: Path) -> None:
    made = make(tmp_path / "tls", NAMES, FOUND, NOW)
    assert made.new_authority
    for name in (*NAMES, *FOUND):
        assert shaken(made.files, name) == "", name
    assert "mismatch" in shaken(made.files, "evil.example")


def test_keys_are_the_owners_alone(tmp_path: Path) -> None:
    files = make(tmp_path / "tls", NAMES, FOUND, NOW).files
    assert mode(files.authority_key) == mode(files.key) == 0o600
    assert mode(files.folder) == 0o750


def test_a_renewal_keeps_the_authority_and_the_key(tmp_path: Path) -> None:
    first = make(tmp_path / "tls", NAMES, FOUND, NOW - timedelta(days=700))
    kept = (first.files.authority.read_bytes(), first.files.authority_key.read_bytes())
    key, old = first.files.key.read_bytes(), first.files.certificate.read_bytes()
    again = make(tmp_path / "tls", NAMES, FOUND, NOW)
    assert not again.new_authority
    assert (again.files.authority.read_bytes(), again.files.authority_key.read_bytes()) == kept
    assert again.files.key.read_bytes() == key
    assert again.files.certificate.read_bytes() != old
    assert again.until > first.until
    assert again.fingerprint == first.fingerprint
    assert shaken(again.files, "box") == ""


def test_what_it_lasts(tmp_path: Path) -> None:
    made = make(tmp_path / "tls", NAMES, FOUND, NOW)
    issued = x509.load_pem_x509_certificate(made.files.certificate.read_bytes())
    lasts = issued.not_valid_after_utc - issued.not_valid_before_utc
    assert lasts <= timedelta(days=825)
    assert issued.not_valid_before_utc < NOW, "a tablet whose clock is slow takes it"
    late = make(tmp_path / "tls", NAMES, FOUND, NOW + timedelta(days=3400))
    assert late.until <= late.authority_until


def test_an_authority_that_has_ended_is_said_and_not_replaced(tmp_path: Path) -> None:
    files = make(tmp_path / "tls", NAMES, FOUND, NOW).files
    before = files.certificate.read_bytes()
    with pytest.raises(StoreError, match="has ended"):
        make(tmp_path / "tls", NAMES, FOUND, NOW + timedelta(days=4000))
    assert files.certificate.read_bytes() == before


def test_the_authority_is_good_for_this_station_only(tmp_path: Path) -> None:
    """Whoever steals its key cannot pass for a bank."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from edge.web import issuing

    files = make(tmp_path / "tls", NAMES, FOUND, NOW).files
    with pytest.raises(StoreError, match=r"not made for bank\.example"):
        make(tmp_path / "tls", ("bank.example",), FOUND, NOW)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    stolen = load_pem_private_key(files.authority_key.read_bytes(), None)
    key = load_pem_private_key(files.key.read_bytes(), None)
    for host in ("bank.example", "8.8.8.8"):
        forged = issuing.issue(authority, stolen, key.public_key(), [host], NOW)
        files.certificate.write_bytes(certificate._pem(forged))
        assert "permitted subtree" in shaken(files, host)


def test_other_addresses_of_this_machine_are_left_out_later(tmp_path: Path) -> None:
    make(tmp_path / "tls", NAMES, FOUND, NOW)
    again = make(tmp_path / "tls", NAMES, ("box", "198.51.100.9", "10.9.9.9"), NOW)
    assert set(again.names) == {*NAMES, "box", "10.9.9.9"}
    with pytest.raises(StoreError, match=r"not made for 198\.51\.100\.9"):
        make(tmp_path / "tls", (*NAMES, "198.51.100.9"), (), NOW)


@pytest.mark.parametrize("missing", ["ca.pem", "ca.key"])
def test_half_an_authority_is_said_and_not_replaced(tmp_path: Path, missing: str) -> None:
    files = make(tmp_path / "tls", NAMES, FOUND, NOW).files
    (files.folder / missing).unlink()
    before = sorted(path.read_bytes() for path in files.folder.iterdir())
    with pytest.raises(StoreError) as raised:
        make(tmp_path / "tls", NAMES, FOUND, NOW)
    assert "trust it anew" in raised.value.hint
    assert sorted(path.read_bytes() for path in files.folder.iterdir()) == before


def test_a_key_of_another_authority(tmp_path: Path) -> None:
    files = make(tmp_path / "tls", NAMES, FOUND, NOW).files
    other = make(tmp_path / "other", NAMES, FOUND, NOW).files
    files.authority_key.write_bytes(other.authority_key.read_bytes())
    with pytest.raises(StoreError, match="do not belong together"):
        make(tmp_path / "tls", NAMES, FOUND, NOW)


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    made = make(tmp_path / "tls", NAMES, FOUND, NOW, dry_run=True)
    assert made.new_authority
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("listen", "beyond"),
    [
        ("127.0.0.1:8080", False),
        ("127.1.2.3:8080", False),
        ("[::1]:8080", False),
        ("localhost:8080", False),
        ("0.0.0.0:8443", True),
        ("[::]:8443", True),
        ("192.168.1.5:8443", True),
        ("box:8443", True),
    ],
)
def test_who_can_reach_the_page(listen: str, beyond: bool) -> None:
    assert beyond_loopback(Web(listen=listen)) == beyond


def test_the_names(tmp_path: Path) -> None:
    web = Web(listen="192.168.1.5:8443", names=("box.plant.example",))
    assert names_of(web, ["a", "box.plant.example"]) == ("a", "box.plant.example", "192.168.1.5")
    assert names_of(Web(listen="0.0.0.0:1"), []) == ()
    own = certificate.own_names("Box.plant.example", ["10.0.0.1"])
    assert own[:4] == ("box.plant.example", "box", "box.local", "10.0.0.1")
    assert "::1" in own


def test_this_machines_addresses_are_its_own() -> None:
    for one in addresses():
        family = socket.AF_INET6 if ":" in one else socket.AF_INET
        with socket.socket(family) as bound:
            bound.bind((one, 0))


def found(folder: Path, **web: object) -> list[tuple[str, str]]:
    return [(one.state, one.what) for one in check_web(config_in(folder, **web))]


def test_check_says_what_the_page_lacks(tmp_path: Path) -> None:
    assert found(tmp_path) == [("ok", "127.0.0.1:8080: this machine only")]
    ((state, what),) = found(tmp_path, listen="0.0.0.0:8443")
    assert state == "fail"
    assert "edge-inspect web certificate" in what
    assert needs_certificate(config_in(tmp_path, listen="0.0.0.0:8443")) == what
    make(tmp_path / "state" / FOLDER, NAMES, FOUND, NOW)
    assert [state for state, _ in found(tmp_path, listen="0.0.0.0:8443")] == ["ok", "ok"]
    assert needs_certificate(config_in(tmp_path, listen="0.0.0.0:8443")) is None


@pytest.mark.parametrize(
    ("age", "state", "words"),
    [(790, "ok", "ends on"), (800, "warn", "ends in 23 days"), (830, "fail", "ended on")],
)
def test_check_says_when_the_certificate_ends(
    tmp_path: Path, age: int, state: str, words: str
) -> None:
    make(tmp_path / "state" / FOLDER, NAMES, FOUND, NOW - timedelta(days=age))
    told = found(tmp_path, listen="0.0.0.0:8443")[1]
    assert told[0] == state
    assert words in told[1]


def test_check_says_that_everybody_can_read_the_key(tmp_path: Path) -> None:
    files = make(tmp_path / "state" / FOLDER, NAMES, FOUND, NOW).files
    files.key.chmod(0o644)
    assert found(tmp_path, listen="0.0.0.0:8443")[-1][0] == "warn"


def test_files_of_ones_own_come_first(tmp_path: Path) -> None:
    own = make(tmp_path / "state" / FOLDER, NAMES, FOUND, NOW).files
    assert files_of(config_in(tmp_path)) == (own.certificate, own.key)
    theirs = make(tmp_path / "theirs", NAMES, FOUND, NOW).files
    given = {"certificate_file": theirs.certificate, "key_file": theirs.key}
    assert files_of(config_in(tmp_path, **given)) == (theirs.certificate, theirs.key)
