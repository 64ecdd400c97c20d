from __future__ import annotations

import pytest

from sync.broker import Address, Login
from sync.certificates import hosts, is_address, of_files, of_peer
from sync.expiry import date
from tests.simulators.pki import Authority


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki"))


def test_ours_is_the_first_of_its_file_and_every_authority_counts(pki, tmp_path):
    ours, other = pki.issue("caps"), Authority(tmp_path / "other", "Other CA", end=50)
    chain, several = tmp_path / "chain.pem", tmp_path / "several.pem"
    chain.write_bytes(ours.certificate.read_bytes() + pki.file.read_bytes())
    several.write_bytes(pki.file.read_bytes() + other.file.read_bytes())
    found = of_files(Login(ca=several, certificate=chain))
    assert [(one.whose, date(one.not_after)) for one in found] == [
        ("our certificate (caps)", ours.end),
        ("the authority in sync.ca_file (Plant CA)", pki.end),
        ("the authority in sync.ca_file (Other CA)", other.end),
    ]
    assert "certificate_file" in found[0].mend
    assert "ca_file" in found[1].mend


def test_the_same_file_for_both(pki, tmp_path):
    """A broker and a station that trust one self-signed certificate, and show it."""
    found = of_files(Login(ca=pki.file, certificate=pki.file))
    assert len(found) == 2


def test_files_that_cannot_be_read_give_nothing(pki, tmp_path):
    (tmp_path / "empty").touch()
    assert of_files(Login()) == []
    assert of_files(Login(ca=tmp_path / "empty", certificate=tmp_path / "none")) == []
    assert len(of_files(Login(ca=pki.file, certificate=tmp_path / "none"))) == 1


def test_a_name_cannot_break_a_sentence(tmp_path):
    ours = Authority(tmp_path / "pki", "CA").issue("a\nb\x1b[31mc" + "d" * 50)
    (found,) = of_files(Login(certificate=ours.certificate))
    assert found.whose == "our certificate (ab[31mc" + "d" * 50 + ")"


def test_the_names_of_a_broker(pki):
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_certificate

    def der(issued):
        pem = issued.certificate.read_bytes()
        return load_pem_x509_certificate(pem).public_bytes(Encoding.DER)

    named = der(pki.issue("x", ("broker.plant", "10.0.0.1", "::1")))
    assert hosts(named) == ["broker.plant", "10.0.0.1", "::1"]
    assert hosts(der(pki.issue("x"))) == []
    assert of_peer(named, Address("x", 1, True)).whose == "the certificate of mqtts://x:1"


@pytest.mark.parametrize("junk", [b"", b"\x30\x82", bytes(1000)])
def test_a_broker_that_shows_junk(junk):
    assert hosts(junk) == []
    assert of_peer(junk, Address("x", 1, True)) is None


def test_numbers_and_names():
    assert is_address("10.0.0.1")
    assert is_address("::1")
    assert not is_address("broker.plant")
