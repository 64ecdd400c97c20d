import os
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sync.fleet import keys
from sync.fleet.keys import KeysError, Ring


def signed(ring, keyid, data=b"word"):
    (signer,) = ring.signers([keyid])
    signer.public_key.verify_signature(signer.sign(data), data)
    return signer


def test_a_private_key_is_for_its_owner_alone(tmp_path):
    old = os.umask(0)
    try:
        keys.make(tmp_path / "keys", "ann")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "keys" / "ann.pem").stat().st_mode) == 0o600


def test_a_key_signs_and_is_known_by_name(tmp_path):
    key = keys.make(tmp_path, "ann")
    signer = signed(Ring([tmp_path]), key.keyid)
    assert keys.name_of(signer.public_key) == keys.name_of(key) == "ann"
    assert keys.name_of(keys.read_public(tmp_path / "ann.pub")) == "ann"


def test_a_key_is_never_replaced(tmp_path):
    keys.make(tmp_path, "ann")
    before = (tmp_path / "ann.pem").read_bytes()
    with pytest.raises(KeysError, match="there already"):
        keys.make(tmp_path, "ann")
    (tmp_path / "ann.pem").unlink()
    with pytest.raises(KeysError, match="there already"):
        keys.make(tmp_path, "ann")  # its public half is still here
    assert before


@pytest.mark.parametrize("name", ["", "Ann", "../ann", ".ann", "a/b", "a" * 65])
def test_names_that_are_none(tmp_path, name):
    with pytest.raises(KeysError, match="name of a key"):
        keys.make(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_others_may_read_is_not_used(tmp_path):
    key = keys.make(tmp_path, "ann")
    (tmp_path / "ann.pem").chmod(0o640)
    with pytest.raises(KeysError, match="others may read") as refused:
        Ring([tmp_path]).signers([key.keyid])
    assert refused.value.mend == f"chmod 600 {tmp_path}/ann.pem"


def test_a_sealed_key_needs_its_passphrase(tmp_path):
    key = keys.make(tmp_path, "ann", b"correct horse")
    signed(Ring([tmp_path], b"correct horse"), key.keyid)
    with pytest.raises(KeysError, match="is sealed"):
        Ring([tmp_path]).signers([key.keyid])
    with pytest.raises(KeysError, match="cannot be opened"):
        Ring([tmp_path], b"wrong").signers([key.keyid])


def test_a_passphrase_is_of_no_harm_to_a_key_that_is_not_sealed(tmp_path):
    key = keys.make(tmp_path, "online")
    signed(Ring([tmp_path], b"for the others"), key.keyid)


def test_a_sealed_key_that_is_not_asked_for_stays_shut(tmp_path):
    keys.make(tmp_path, "ann", b"secret")
    bob = keys.make(tmp_path, "bob")
    assert len(Ring([tmp_path]).signers([bob.keyid])) == 1


def test_only_public_halves_sign_nothing(tmp_path):
    key = keys.make(tmp_path / "ann", "ann")
    (tmp_path / "ann" / "ann.pem").rename(tmp_path / "stick.pem")
    ring = Ring([tmp_path / "ann"])
    assert [place.private for place in ring.found()] == [None]
    assert ring.signers([key.keyid]) == []
    signed(Ring([tmp_path / "ann", tmp_path / "stick.pem"]), key.keyid)


def test_a_place_that_is_not_there(tmp_path):
    with pytest.raises(KeysError, match="is not there"):
        Ring([tmp_path / "stick"]).found()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 100, b"x" * (64 * 1024 + 1)])
def test_a_damaged_key(tmp_path, content):
    keys.make(tmp_path, "ann")
    for suffix in (".pem", ".pub"):
        file = tmp_path / f"bob{suffix}"
        file.write_bytes(content)
        file.chmod(0o600)
        with pytest.raises(KeysError):
            Ring([tmp_path]).found()
        file.unlink()


def test_a_key_of_another_kind(tmp_path):
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    text = public.public_bytes(serialization.Encoding.PEM, form)
    (tmp_path / "ann.pub").write_bytes(text)
    with pytest.raises(KeysError, match="no Ed25519 key"):
        keys.read_public(tmp_path / "ann.pub")


def test_a_passphrase_is_the_first_line(tmp_path):
    file = tmp_path / "phrase"
    file.write_text("  correct horse \nand no more\n")
    assert keys.passphrase_in(file) == b"correct horse"
    assert keys.passphrase_in(None) is None
    for content in ("", "\nlater"):
        file.write_text(content)
        with pytest.raises(KeysError, match="no passphrase"):
            keys.passphrase_in(file)
    with pytest.raises(KeysError):
        keys.passphrase_in(tmp_path / "nowhere")
