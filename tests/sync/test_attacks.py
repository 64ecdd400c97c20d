"""The table of attacks in docs/trust.md, one test a row: each has its own code, and the assignment
that was taken before stays as it is."""

import json
import zlib
from dataclasses import replace

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, TargetFile

from sync.pack import LARGEST, LARGEST_UNPACKED, pack
from sync.refusals import REFUSALS
from tests.pages import keys, section, text
from tests.simulators.signer import Signer, assignment_of, bundle_file
from tests.sync.trusting import STATION, Station

ROWS = set()


def row(code):
    """Notes which row of the table a test is about."""

    def note(test):
        ROWS.add(code)
        return test

    return note


@pytest.fixture
def station(tmp_path):
    """Number 1 is in force. `refuse` sees that nothing of it is touched."""
    made = Station(tmp_path)
    assert made.accept() == 1
    return made


def test_it_is_all_told_in_the_document():
    said = set(keys(section(text("docs/trust.md"), "The table of attacks")))
    ours = {code for code, refusal in REFUSALS.items() if refusal.owner != "line"}
    assert said == ours
    assert {code for code in ours if REFUSALS[code].owner == "trust"} == ROWS


@row("unlisted")
def test_an_arbitrary_file(station):
    """Who holds the online keys can have anything assigned, but not made a bundle."""
    evil = bundle_file(b"evil")
    station.fleet.assign(assignment_of(serial=2, bundle=evil), listing=False)
    assert evil.path in station.refuse(code="unlisted")


@row("unlisted")
def test_an_arbitrary_file_in_the_list_of_the_online_keys(station):
    """A bin covers every path; what it lists is no bundle all the same."""
    evil = bundle_file(b"evil")
    fleet = station.fleet
    fleet.assign(assignment_of(serial=2, bundle=evil), listing=False)
    for name in [name for name in fleet.documents if name.startswith("assignments-")]:
        bin_ = Metadata.from_bytes(fleet.documents[name])
        listed = TargetFile(evil.size, {"sha256": evil.sha256}, evil.path)
        said = {"digest": evil.digest, "name": evil.name, "version": evil.version}
        listed.unrecognized_fields["custom"] = said
        bin_.signed.targets[evil.path] = listed
        bin_.sign(fleet.keys["assignments"][0])
        fleet.documents[name] = bin_.to_bytes()
    fleet.sign_snapshot()
    fleet.sign_timestamp()
    station.refuse(code="unlisted")


@row("unlisted")
@pytest.mark.parametrize("member", ["sha256", "size", "digest", "name", "version"])
def test_a_listed_bundle_with_other_properties(station, member):
    bundle = bundle_file(b"12345678")
    station.fleet.push(bundle)
    other = {"sha256": "0" * 64, "size": 7, "digest": "1" * 64, "name": "rings", "version": "9.9.9"}
    station.fleet.assign(assignment_of(serial=2, bundle=replace(bundle, **{member: other[member]})))
    assert member in station.refuse(code="unlisted")


@row("wrong_key")
def test_a_whole_repository_of_somebody_else(station):
    other = Signer()
    other.assign(assignment_of(serial=2))
    station.refuse(other.pack(), "wrong_key")


@row("wrong_key")
@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "assignments"])
def test_one_document_signed_by_somebody_else(station, role):
    fleet = station.fleet
    fleet.assign(assignment_of(serial=2))
    thief = CryptoSigner.generate_ed25519()
    fleet.keys[role] = [thief]
    if role == "targets":
        fleet.new_targets()
    if role == "assignments":
        fleet.sign_bins()
    if role != "timestamp":
        fleet.sign_snapshot()
    fleet.sign_timestamp()
    station.refuse(code="wrong_key")


@row("wrong_key")
def test_a_signature_that_is_not_of_this_text(station):
    station.fleet.publish()
    changed = json.loads(station.fleet.documents["timestamp"])
    changed["signed"]["version"] += 1
    station.refuse(station.fleet.pack(**{"timestamp.json": json.dumps(changed)}), "wrong_key")


@row("under_threshold")
@pytest.mark.parametrize("role", ["targets", "root"])
def test_one_signature_where_two_are_asked_for(station, role):
    fleet = station.fleet
    one = fleet.keys[role][:1]
    fleet.new_targets(one) if role == "targets" else fleet.new_root(one)
    fleet.publish()
    station.refuse(code="under_threshold")


@row("under_threshold")
def test_the_same_signature_twice_is_one(station):
    fleet = station.fleet
    fleet.new_targets(fleet.keys["targets"][:1])
    document = json.loads(fleet.documents["targets"])
    second = fleet.keys["targets"][1].public_key.keyid
    document["signatures"].append({**document["signatures"][0], "keyid": second})
    fleet.documents["targets"] = json.dumps(document).encode()
    fleet.sign_bins()
    fleet.sign_snapshot()
    fleet.sign_timestamp()
    station.refuse(code="under_threshold")


@row("rollback")
def test_an_older_pack_again(station):
    old = station.fleet.pack()
    station.fleet.assign(assignment_of(serial=2))
    assert station.accept() == 2
    station.begin()
    assert "already" in station.refuse(old, "rollback")
    assert station.accept() == 2


@row("rollback")
def test_an_older_list_of_bundles_under_new_online_signatures(station):
    """With the online keys stolen, a withdrawn bundle does not come back."""
    old = station.fleet.documents["targets"]
    station.fleet.bundles.clear()
    station.fleet.assign(assignment_of(serial=2, bundle=bundle_file(b"better")))
    assert station.accept() == 2
    station.fleet.documents["targets"] = old
    station.fleet.assign(assignment_of(serial=3), listing=False)
    assert "targets" in station.refuse(code="rollback")


@row("old_assignment")
def test_a_smaller_number_under_new_signatures(station):
    station.fleet.assign(assignment_of(serial=1, bundle=bundle_file(b"another")))
    station.refuse(code="old_assignment")


@row("old_assignment")
def test_a_number_that_was_taken_already(station):
    station.fleet.assign(assignment_of(serial=5))
    assert station.accept() == 5
    station.fleet.assign(assignment_of(serial=4))
    station.refuse(code="old_assignment")


@row("expired")
def test_a_frozen_repository(station):
    """Someone keeps the newest from the station, and shows it the old for ever."""
    frozen = station.fleet.pack()
    station.clock += 7 * 86400 - 1
    assert station.accept(frozen) == 1
    station.clock += 1
    station.refuse(frozen, "expired")


@row("expired")
@pytest.mark.parametrize("role", ["root", "targets", "assignments", "snapshot", "timestamp"])
def test_one_expired_document(station, role):
    fleet = station.fleet
    fleet.days[role] = 0
    if role in ("root", "targets"):
        getattr(fleet, f"new_{role}")()
    fleet.publish()
    station.refuse(code="expired", learns=role == "root")


@row("wrong_clock")
def test_a_clock_behind_what_is_over(station):
    station.clock -= 2 * 86400
    station.refuse(code="wrong_clock")


@row("mix_and_match")
@pytest.mark.parametrize("role", ["snapshot", "targets", "assignments"])
def test_documents_of_two_states(station, role):
    old = station.fleet.files()
    station.fleet.push(bundle_file(b"another"))
    station.fleet.publish()
    new = station.fleet.files()
    older, newer = (next(n for n in f if role in n and "/" not in n) for f in (old, new))
    station.refuse(station.fleet.pack(**{newer: old[older]}), "mix_and_match")


@row("mix_and_match")
def test_an_assignment_of_another_state(station):
    old = station.fleet.files()[f"targets/assignments/{STATION}.json"]
    station.fleet.assign(assignment_of(serial=2))
    pack = station.fleet.pack(**{f"targets/assignments/{STATION}.json": old})
    station.refuse(pack, "mix_and_match")


@row("mix_and_match")
def test_a_document_left_out(station):
    files = station.fleet.files()
    for name in files:
        if "root" in name:
            continue
        rest = {one: said for one, said in files.items() if one != name}
        station.refuse(pack(rest, "2026-09-21T14:13:20Z"), "mix_and_match")


@row("other_station")
@pytest.mark.parametrize("other", ["plant-a/line-3/rings", "plant-b/line-1/x", "p/q/r", "p/q/s"])
def test_the_pack_of_another_station(station, other):
    station.fleet.assign(assignment_of(other, serial=7))
    station.refuse(station.fleet.pack(other), "other_station")


@row("other_station")
def test_the_assignment_of_another_station_in_our_place(station):
    other = assignment_of("plant-b/line-1/x", serial=7)
    station.fleet.assign(other)
    changed = {f"targets/assignments/{STATION}.json": other.as_bytes().decode()}
    station.refuse(station.fleet.pack(**changed), "other_station")
    station.fleet.assigned[f"assignments/{STATION}.json"] = other.as_bytes()
    station.fleet.publish()
    station.refuse(code="other_station")


@row("endless")
def test_a_pack_without_end(station):
    station.refuse(b"x" * (LARGEST + 1), "endless")
    bomb = zlib.compress(b'{"files":{"a":"' + b"a" * (LARGEST_UNPACKED + 1), 9)
    assert len(bomb) < 20_000
    station.refuse(bomb, "endless")


@row("endless")
@pytest.mark.parametrize("role", ["snapshot", "targets", "timestamp"])
def test_a_document_longer_than_was_signed(station, role):
    files = station.fleet.files()
    name = next(name for name in files if role in name)
    station.refuse(station.fleet.pack(**{name: files[name] + " " * 20_000}), "endless")


@row("malformed")
@pytest.mark.parametrize("what", [b"", b"\x00", b"{}", b"x" * 100])
def test_noise(station, what):
    station.refuse(what, "malformed")


@row("malformed")
def test_a_signed_assignment_that_is_none(station):
    station.fleet.assigned[f"assignments/{STATION}.json"] = b'{"schema":"assignment/2"}'
    station.fleet.publish()
    station.refuse(code="malformed")


@row("revoked_key")
@pytest.mark.parametrize("role", ["timestamp", "targets"])
def test_a_key_that_was_withdrawn(tmp_path, station, role):
    """The thief has the key, and all that the fleet published."""
    stolen = station.fleet.keys[role]
    station.fleet.keys[role] = [CryptoSigner.generate_ed25519() for _ in stolen]
    station.fleet.new_root()
    station.fleet.new_targets()
    station.fleet.assign(assignment_of(serial=2))
    assert station.accept() == 2
    if role == "targets":
        station.fleet.new_targets(stolen)
        station.fleet.publish()
    else:
        station.fleet.sign_timestamp(stolen)
    station.refuse(code="revoked_key")
    station.fleet.roots.pop()  # and now without the root that withdraws it
    station.refuse(code="revoked_key")


@row("revoked_key")
def test_a_withdrawn_root_key_does_not_make_roots(station):
    stolen = station.fleet.keys["root"]
    first = station.fleet.roots[0]
    station.fleet.keys["root"] = [CryptoSigner.generate_ed25519() for _ in stolen]
    station.fleet.new_root()
    assert station.accept() == 1
    station.fleet.new_root(stolen)
    station.refuse(code="revoked_key")
    station.fleet.roots = [first]  # another second root, and a third, by the keys of the first
    station.fleet.keys["root"], station.fleet._root_signers = stolen, stolen
    station.fleet.new_root()
    station.fleet.new_root()
    station.refuse(code="revoked_key")


@row("revoked_key")
def test_a_withdrawn_key_for_assignments(station):
    stolen = station.fleet.keys["assignments"]
    station.fleet.keys["assignments"] = [CryptoSigner.generate_ed25519()]
    station.fleet.new_targets()
    station.fleet.assign(assignment_of(serial=2))
    assert station.accept() == 2
    station.fleet.keys["assignments"] = stolen
    station.fleet.assign(assignment_of(serial=3))
    station.refuse(code="revoked_key")


@row("no_trust_root")
@pytest.mark.parametrize("root", [None, b"", b"{}", b"\xff", b'{"signed":' * 9000])
def test_no_root_to_begin_with(station, root):
    station.root_file.unlink() if root is None else station.root_file.write_bytes(root)
    station.refuse(code="no_trust_root")


@row("not_stored")
def test_what_cannot_be_remembered_is_not_taken(station, monkeypatch):
    def full(path, data):
        raise OSError(28, "no space left on device")

    station.fleet.assign(assignment_of(serial=2))
    with monkeypatch.context() as patch:
        patch.setattr("sync.floors.replace_file", full)
        station.refuse(code="not_stored")
    assert station.accept() == 2
