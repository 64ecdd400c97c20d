"""Every way in which a file of the login can be wrong, and what is said of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sync.broker import Login
from sync.login import LoginError, credentials, tls_context
from tests.simulators.pki import Authority


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def issued(pki):
    return pki.issue("caps")


def words(login, read=tls_context):
    with pytest.raises(LoginError) as error:
        read(login)
    assert error.value.mend
    return error.value.what


def test_user_and_password(tmp_path):
    path = tmp_path / "login"
    for text, expected in (
        ("caps\nsecret\n", ("caps", "secret")),
        ("caps\r\nsecret\r\n", ("caps", "secret")),
        ("\ufeffcaps\n pass word \n", ("caps", "pass word")),
        ("caps\n", ("caps", None)),
        ("caps\ngeheimnis-ä\nmore\n", ("caps", "geheimnis-ä")),
    ):
        path.write_text(text, encoding="utf-8")
        assert credentials(Login(credentials=path)) == expected
    assert credentials(Login()) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\nsecret\n", "has no user in its first line"),
        (b"caps\n\xff\xfe\n", "is no UTF-8 text"),
    ],
)
def test_credentials_that_are_none(tmp_path, content, told):
    path = tmp_path / "login"
    path.write_bytes(content)
    assert words(Login(credentials=path), credentials) == f"sync.credentials_file: {path} {told}"


def test_a_missing_file_a_folder_and_a_loop(tmp_path):
    missing, loop = tmp_path / "none", tmp_path / "loop"
    loop.symlink_to(loop)
    assert "is missing" in words(Login(credentials=missing), credentials)
    assert "Is a directory" in words(Login(credentials=tmp_path), credentials)
    assert "cannot be read" in words(Login(credentials=loop), credentials)
    assert f"sync.ca_file: {missing} is missing" in words(Login(ca=missing))
    found = words(Login(certificate=missing, key=missing))
    assert f"sync.certificate_file: {missing} is missing" in found


def test_a_file_that_must_not_be_read(tmp_path, issued):
    """In a process that is not root, who may read everything."""
    secret = tmp_path / "secret"
    secret.write_bytes(issued.key.read_bytes())
    secret.chmod(0)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from sync.broker import Login; from sync.login import *; from sync import certificates\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try: credentials(Login(credentials=Path(sys.argv[1])))\n"
        "except LoginError as error: print(error.what, '|', error.mend)\n"
    )
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    done = subprocess.run(
        [sys.executable, "-c", code, secret], capture_output=True, text=True, check=True
    )
    assert f"sync.credentials_file: {secret} must not be read by this user" in done.stdout
    assert "sudo chown edge-inspect" in done.stdout


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"hello", "holds no certificate: it is no PEM text"),
        (b"\x30\x82\x01\x0a", "holds no certificate: it is no PEM text"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "holds a certificate that cannot be read",
        ),
        (
            b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
            "holds no certificate but a request for one",
        ),
    ],
)
def test_authorities_and_certificates_that_are_none(tmp_path, issued, content, told):
    path = tmp_path / "file.pem"
    path.write_bytes(content)
    assert words(Login(ca=path)) == f"sync.ca_file: {path} {told}"
    found = words(Login(certificate=path, key=issued.key))
    assert found == f"sync.certificate_file: {path} {told}"


def test_certificate_and_key_mixed_up(issued):
    found = words(Login(certificate=issued.key, key=issued.certificate))
    assert "holds no certificate but a private key" in found
    found = words(Login(certificate=issued.certificate, key=issued.certificate))
    assert "holds no private key but a certificate" in found


def test_the_key_of_another_certificate(pki, issued):
    other = pki.issue("other")
    found = words(Login(certificate=issued.certificate, key=other.key))
    assert found == f"sync.key_file: {other.key} is not the key of {issued.certificate}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "holds a private key that cannot be read",
        ),
    ],
)
def test_keys_that_are_none(tmp_path, issued, content, told):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    found = words(Login(certificate=issued.certificate, key=path))
    assert found == f"sync.key_file: {path} {told}"


def test_an_encrypted_key_is_no_question_at_the_terminal(pki):
    locked = pki.issue("locked", password=b"secret")
    found = words(Login(certificate=locked.certificate, key=locked.key))
    assert found == f"sync.key_file: {locked.key} is encrypted, and nobody types its password"


def test_an_old_encrypted_key_likewise(tmp_path, issued):
    path = tmp_path / "old.pem"
    command = ["openssl", "ec", "-aes128", "-passout", "pass:secret", "-in", issued.key]
    subprocess.run([*command, "-out", path], check=True, capture_output=True)
    found = words(Login(certificate=issued.certificate, key=path))
    assert "is encrypted" in found


def test_a_key_without_a_certificate(issued):
    assert "without sync.certificate_file" in words(Login(key=issued.key))


def test_both_in_one_file_and_several_authorities(tmp_path, pki, issued):
    both, several = tmp_path / "both.pem", tmp_path / "several.pem"
    both.write_bytes(issued.certificate.read_bytes() + issued.key.read_bytes())
    other = Authority(tmp_path / "other", "Other CA")
    several.write_bytes(pki.file.read_bytes() + other.file.read_bytes())
    context = tls_context(Login(ca=several, certificate=both))
    assert len(context.get_ca_certs()) == 2
    assert context.check_hostname
