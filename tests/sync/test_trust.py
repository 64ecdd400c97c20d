"""A station's judgement over months: rotations, clocks, power cuts, damaged files, new roots."""

import contextlib
import os
import subprocess
import sys

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet

from sync.floors import NAMES, MemoryFile, TimeFloor
from sync.refusals import TrustRefused
from sync.trust import NOTE_EVERY_S, Trust
from tests.simulators.signer import DAY, START, Signer, assignment_of, bundle_file, text, when
from tests.sync.trusting import STATION, Station


@pytest.fixture
def station(tmp_path):
    return Station(tmp_path)


def keys(number=1):
    return [CryptoSigner.generate_ed25519() for _ in range(number)]


# The ordinary way


def test_what_was_signed_is_what_is_accepted(station):
    ordered = assignment_of(serial=2, strategy="shadow", at=START - 60)
    station.fleet.assign(ordered)
    accepted = station.trust.accept(station.fleet.pack(sent_at=text(START - 30)))
    assert accepted.assignment == ordered
    assert accepted.sent_at == START - 30


def test_the_same_word_again_is_accepted_again(station):
    for _ in range(3):
        assert station.accept() == 1
        station.fleet.publish()
        assert station.accept() == 1
        station.begin()


def test_nothing_else_is_left_in_the_folder(station):
    station.accept()
    assert set(station.remembered()) == {*NAMES, "time.json"}


@pytest.mark.parametrize(("action", "taken"), [("cancel", True), ("rollback", True)])
def test_a_bundle_that_was_struck_off_can_still_be_dropped(station, action, taken):
    station.accept()
    station.fleet.bundles.clear()
    station.fleet.new_targets()
    station.fleet.assign(assignment_of(serial=2, action=action), listing=False)
    assert station.accept() == 2
    for more, dead in enumerate(("run", "pause"), 3):
        station.fleet.assign(assignment_of(serial=more, action=dead), listing=False)
        station.refuse(code="unlisted")


def test_a_station_without_an_assignment_is_told_so(tmp_path):
    station = Station(tmp_path)
    station.fleet.assigned.clear()
    station.fleet.publish()
    station.refuse(code="other_station")


def test_no_root_file_at_all(tmp_path, station):
    trust = Trust(tmp_path, None, STATION, now=lambda: START, clock_synced=lambda: True)
    with pytest.raises(TrustRefused) as caught:
        trust.accept(station.fleet.pack())
    assert caught.value.code == "no_trust_root"
    assert "trust_root_file" in caught.value.what


def test_what_verifies_is_imported_only_for_a_pack():
    code = "import sys, sync.trust; print({'tuf', 'urllib3', 'cryptography'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# Months


def rotate(fleet, *roles):
    """New keys for these roles, made known as a fleet does."""
    for role in roles:
        fleet.keys[role] = keys(len(fleet.keys[role]))
    fleet.new_root()
    fleet.new_targets()
    fleet.publish()


def test_a_month_away_two_rotations_and_hundreds_of_versions(station):
    assert station.accept() == 1
    for day in range(30):
        station.days(1)
        if day in (10, 20):
            rotate(station.fleet, "root", "timestamp", "snapshot", "targets", "assignments")
        for _ in range(5):
            station.fleet.publish()
    station.fleet.assign(assignment_of(serial=40, bundle=bundle_file(b"newer")))
    assert station.accept() == 40
    assert len(station.fleet.roots) == 3
    station.fleet.roots[1:] = [station.fleet.roots[2]] * 2
    station.begin()
    assert station.accept() == 40  # the newest root is known: what led to it need not come again


def test_many_rotations_in_one_pack(station):
    for _ in range(20):
        station.fleet.keys["root"] = [*station.fleet.keys["root"][1:], *keys()]
        station.fleet.new_root()
    assert station.accept() == 1
    assert MemoryFile(station.folder / "trust").read().root_version == 21


def test_an_expired_root_on_the_way_does_not_matter(station):
    station.fleet.days["root"] = 10
    station.fleet.new_root()
    station.days(400)
    station.fleet.new_root()
    station.fleet.new_targets()
    station.fleet.publish()
    assert station.accept() == 1


def test_a_root_counts_also_where_the_rest_is_refused(station):
    """What it withdraws is withdrawn, even if the pack that brings it is of no use."""
    station.accept()
    stolen = station.fleet.keys["timestamp"]
    station.fleet.keys["timestamp"] = keys()
    station.fleet.new_root()
    station.refuse(code="revoked_key", learns=True)  # the timestamp is still the old one
    station.fleet.sign_timestamp(stolen)
    station.fleet.roots.pop()
    station.begin()
    station.refuse(code="revoked_key")


def test_absurd_versions_of_a_thief_end_with_the_keys(station):
    """Who had the online keys signed versions and numbers that nothing can follow."""
    fleet = station.fleet
    for name in list(fleet.versions):
        if name not in ("root", "targets"):
            fleet.versions[name] = 10**9
    fleet.assign(assignment_of(serial=2**52))
    assert station.accept() == 2**52
    for name in list(fleet.versions):
        if name not in ("root", "targets"):
            fleet.versions[name] = 100
    fleet.assign(assignment_of(serial=3))
    station.refuse(code="rollback")
    fleet.keys["timestamp"], fleet.keys["snapshot"] = keys(), keys()
    fleet.new_root()
    fleet.assign(assignment_of(serial=4))
    station.refuse(code="old_assignment", learns=True)  # that key can still sign
    fleet.keys["assignments"] = keys()
    fleet.new_targets()
    fleet.assign(assignment_of(serial=5))
    assert station.accept() == 5


def test_floors_of_offline_keys_stay_while_enough_of_them_do(station):
    """Two of three sign: with one of them new, the old lists could still be signed."""
    station.accept()
    fleet, old = station.fleet, station.fleet.documents["targets"]
    fleet.push(bundle_file(b"another"))
    fleet.publish()
    station.accept()
    fleet.keys["targets"] = [*fleet.keys["targets"][:2], *keys()]
    fleet.new_root()
    fleet.documents["targets"] = old
    fleet.publish()
    station.refuse(code="rollback", learns=True)


def test_floors_of_offline_keys_end_when_too_few_of_them_are_left(station):
    """A thief of two keys listed bundles in an absurd version; both keys are replaced."""
    fleet = station.fleet
    fleet.versions["targets"] = 10**9
    fleet.push(bundle_file(b"another"))
    fleet.publish()
    station.accept()
    fleet.versions["targets"] = 100
    fleet.keys["targets"] = [*fleet.keys["targets"][:1], *keys(2)]
    fleet.new_root()
    fleet.new_targets()
    fleet.publish()
    assert station.accept() == 1


def test_a_key_that_came_and_went_while_the_station_was_away(station):
    genuine, strange = station.fleet.keys["timestamp"], keys()
    station.fleet.keys["timestamp"] = strange
    station.fleet.new_root()
    station.fleet.keys["timestamp"] = genuine
    station.fleet.new_root()
    station.fleet.sign_timestamp(strange)
    station.refuse(code="revoked_key")


# The file that a person brings


def test_a_root_file_that_was_changed_is_none(station):
    content = station.root_file.read_bytes()
    station.root_file.write_bytes(content.replace(b'"threshold":2', b'"threshold":1'))
    assert "no signed root" in station.refuse(code="no_trust_root")


def test_a_newer_root_file_is_taken(station):
    """It need not follow from the old one by signatures: a person says so."""
    station.accept()
    station.fleet.keys["root"] = [station.fleet.keys["root"][0], *keys(2)]
    station.fleet._root_signers = []
    station.fleet.new_root()
    station.fleet.publish()
    station.refuse(code="under_threshold")
    station.root_file.write_bytes(station.fleet.roots[1])
    assert station.accept() == 1


def test_an_older_root_file_of_the_same_fleet_takes_nothing_back(station):
    rotate(station.fleet, "timestamp")
    assert station.accept() == 1
    old = station.fleet.roots[0]
    station.root_file.write_bytes(old + b"\n")
    pack = station.fleet.pack()
    station.fleet.roots.pop()
    assert station.accept() == 1  # by the root that is known, not by the file
    assert station.accept(pack) == 1
    assert MemoryFile(station.folder / "trust").read().root_version == 2


def test_the_root_file_of_another_fleet_begins_anew(station):
    station.fleet.assign(assignment_of(serial=50))
    assert station.accept() == 50
    other = Signer()
    other.assign(assignment_of(serial=1))
    station.refuse(other.pack(), "wrong_key")
    station.root_file.write_bytes(other.roots[0])
    assert station.accept(other.pack()) == 1
    station.refuse(code="wrong_key")


def test_the_root_file_is_looked_at_each_time(station):
    station.accept()
    content = station.root_file.read_bytes()
    station.root_file.unlink()
    station.refuse(code="no_trust_root")
    station.root_file.write_bytes(content)
    assert station.accept() == 1


# Clocks


def test_a_refusal_that_is_repeated_has_the_same_words(station):
    """Each new word is written down and sent."""
    station.accept()
    old = station.fleet.pack()
    station.synced = False
    for days in (30, -20):
        station.clock += days * DAY
        said = station.refuse(old, "wrong_clock")
        station.clock += 600
        assert station.refuse(old, "wrong_clock") == said


def test_without_a_synchronised_clock_an_expired_word_is_a_question_of_the_clock(station):
    station.accept()
    old = station.fleet.pack()
    station.clock += 30 * DAY
    station.synced = False
    assert "not synchronised" in station.refuse(old, "wrong_clock")
    station.synced = True
    station.refuse(old, "expired")


def test_what_was_just_sent_and_is_expired_is_the_fleets_doing(station):
    station.synced = False
    station.clock += 30 * DAY
    station.refuse(station.fleet.pack(sent_at=text(station.clock)), "expired")


def test_a_clock_that_never_was_right(station):
    """No battery, no network time: it begins in 1970, and nothing is known yet."""
    station.synced, station.clock = False, 1000.0
    station.refuse(code="wrong_clock")
    station.clock = START
    assert station.accept() == 1


def test_a_clock_before_the_pack_was_sent(station):
    station.synced = False
    later = text(START + 2 * DAY)
    assert "sent" in station.refuse(station.fleet.pack(sent_at=later), "wrong_clock")
    station.synced = True  # then it is the other clock, and nobody has signed what it says
    assert station.accept(station.fleet.pack(sent_at=later)) == 1


def test_the_fleets_clock_is_the_wrong_one(station):
    """An assignment of next year moves nothing here."""
    station.fleet.at += 300 * DAY
    station.fleet.assign(assignment_of(serial=2, at=START + 300 * DAY))
    assert "issued" in station.refuse(code="wrong_clock")
    assert TimeFloor(station.folder / "trust").read() == 0


def test_time_that_is_over_is_remembered(station):
    assert station.accept() == 1
    station.days(5)
    station.trust.note_time()
    station.begin()
    station.clock -= 3 * DAY
    assert "time.json" in refusal(station, "wrong_clock").mend
    (station.folder / "trust" / "time.json").unlink()
    assert station.accept() == 1


def test_a_time_that_never_was_is_named_also_where_everything_seems_expired(station):
    assert station.accept() == 1
    station.days(365)
    station.trust.note_time()
    station.begin()
    station.clock -= 365 * DAY
    assert "time.json" in refusal(station, "wrong_clock").mend


def refusal(station, code):
    with pytest.raises(TrustRefused) as caught:
        station.accept()
    assert caught.value.code == code
    return caught.value


def test_expiry_is_judged_by_the_later_of_clock_and_floor(station):
    """A clock set back by less than a day does not bring an expired word to life."""
    pack = station.fleet.pack()
    assert station.accept() == 1
    station.clock += 7 * DAY + 3600
    station.trust.note_time()
    station.clock -= 2 * 3600
    station.refuse(pack, "expired")


def test_expiry_is_judged_by_our_clock_whatever_the_library_takes(station, monkeypatch):
    ours = property(lambda one: when(START), lambda one, value: None)
    monkeypatch.setattr(TrustedMetadataSet, "reference_time", ours, raising=False)
    assert station.accept() == 1
    station.clock += 7 * DAY
    station.refuse(code="expired")


def test_a_clock_that_nobody_vouches_for_is_not_remembered(station):
    station.synced = False
    station.clock += 5 * DAY
    station.trust.note_time()
    station.accept()
    assert TimeFloor(station.folder / "trust").read() == START  # when it was issued
    station.clock -= 5 * DAY
    assert station.accept() == 1


def test_the_time_is_written_about_once_an_hour(station, monkeypatch):
    written = []
    monkeypatch.setattr(station.trust._time, "write", written.append)
    for _ in range(120):
        station.trust.note_time()
        station.clock += 60
    assert written == [START, START + NOTE_EVERY_S]


def test_a_full_disk_does_not_stop_noting_the_time(station, monkeypatch):
    def full(path, data):
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("sync.floors.replace_file", full)
    station.trust.note_time()


# Power cuts and damage


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff" * 99, None])
def test_one_damaged_file_lowers_no_floor(station, name, damage):
    old = station.fleet.pack()
    station.fleet.assign(assignment_of(serial=2))
    assert station.accept() == 2
    path = station.folder / "trust" / name
    path.unlink() if damage is None else path.write_bytes(damage)
    station.begin()
    station.refuse(old, "rollback")
    assert station.accept() == 2
    station.fleet.publish()
    assert station.accept() == 2
    assert (station.folder / "trust" / name).read_bytes() != damage


@pytest.mark.parametrize("name", NAMES)
def test_an_older_copy_that_somebody_put_back_lowers_no_floor(station, name):
    station.accept()
    path = station.folder / "trust" / name
    old = path.read_bytes()
    station.fleet.assign(assignment_of(serial=2))
    assert station.accept() == 2
    path.write_bytes(old)
    assert MemoryFile(path.parent).read().serial == 2


def test_a_flipped_bit_in_the_memory_is_noticed(station):
    station.accept()
    path = station.folder / "trust" / "trust.json"
    content, whole = path.read_bytes(), MemoryFile(station.folder / "trust").read()
    for at in range(0, len(content), 97):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert MemoryFile(station.folder / "trust").read() == whole
    for name in NAMES:
        (station.folder / "trust" / name).write_bytes(path.read_bytes())
    assert MemoryFile(station.folder / "trust").read().root == ""


def test_both_files_gone_the_root_file_is_enough(station):
    rotate(station.fleet, "root", "timestamp")
    assert station.accept() == 1
    for name in NAMES:
        (station.folder / "trust" / name).write_bytes(b"torn")
    (station.folder / "trust" / "time.json").write_bytes(b"torn")
    station.begin()
    assert station.accept() == 1
    assert ["time.json" in what for what in station.told].count(True) >= 1
    assert "what was accepted before is lost: beginning at the root file" in station.told


def test_a_cut_at_any_write_leaves_the_old_word_or_the_new(station, monkeypatch):
    """The machine stops at the n-th step of writing; then it starts again."""
    station.accept()
    for stop in range(30):
        station.fleet.assign(assignment_of(serial=stop + 2))
        before = station.fleet.pack()
        with monkeypatch.context() as patch:
            cut = Cut(patch, stop)
            with contextlib.suppress(TrustRefused):
                station.accept()
        station.begin()
        memory = MemoryFile(station.folder / "trust").read()
        assert memory.serial in (stop + 1, stop + 2)
        if not cut.happened:
            assert memory.serial == stop + 2
            break
        assert station.accept(before) == stop + 2
    assert stop > 5


class Cut:
    """Nothing more is written from the n-th write, rename or fsync on."""

    def __init__(self, patch, left):
        self.left = left
        self.happened = False
        for name in ("fsync", "replace"):
            genuine = getattr(os, name)
            patch.setattr(os, name, self.instead(genuine))

    def instead(self, genuine):
        def step(*arguments):
            if self.left == 0:
                self.happened = True
                raise OSError(5, "the power is gone")
            self.left -= 1
            return genuine(*arguments)

        return step


def test_what_a_cut_left_lying_does_not_matter(station):
    station.accept()
    work = station.folder / "trust" / "work"
    (work / "root_history").mkdir(parents=True)
    (work / "root.json").write_bytes(b"torn")
    (work / "timestamp.json").write_bytes(b"")
    (work / "other.json").write_bytes(b"of another time")
    (work / "root_history" / "2.root.json").write_bytes(b"\0" * 99)
    assert station.accept() == 1
    assert not work.exists()
