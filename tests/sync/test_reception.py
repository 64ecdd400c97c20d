"""The fleet's word and its file, into the inbox: what is taken, superseded, refused, kept."""

import errno
import hashlib
import json
import shutil
from dataclasses import replace
from itertools import pairwise

import pytest

from sync.assignment import parse
from sync.reception import NOTE_EVERY_S
from sync.refusals import REFUSALS
from sync.transfer import MOST_WRONG
from tests.simulators.signer import assignment_of
from tests.sync.parcels import BOTH, PIECE, STATION, Parcels, content

DATA = content(300 * PIECE + 17)
OTHER = content(50 * PIECE, seed=2)


@pytest.fixture
def parcels(tmp_path):
    return Parcels(tmp_path / "inbox")


def named(data, end="zip"):
    return f"{hashlib.sha256(data).hexdigest()}.{end}"


# What is taken


def test_a_bundle_arrives_whole_and_by_its_name(parcels):
    word = parcels.assign(DATA)
    assert parcels.state == "downloading"
    assert parcels.names() == ["assignment.json", named(DATA, "map"), named(DATA, "part")]
    sent = parcels.fetch()
    assert sorted(sent) == list(range(301))
    entry = parcels.entry()
    assert entry["state"] == "verified"
    assert entry["file"] == named(DATA)
    assert entry["bytes"] == entry["size"] == len(DATA)
    assert parse(json.dumps(entry["assignment"]).encode()) == word
    assert (parcels.folder / named(DATA)).read_bytes() == DATA
    assert parcels.names() == ["assignment.json", named(DATA)]
    assert parcels.delivery.troubles == []


def test_without_a_root_of_trust_nothing_is_asked_for_or_taken(tmp_path):
    parcels = Parcels(tmp_path / "inbox", trust=False)
    parcels.assign(DATA)
    assert parcels.subscribed == []
    assert parcels.names() == []
    assert parcels.wants() == []
    assert parcels.delivery.state()["delivery"]["state"] == "no_trust_root"
    assert parcels.delivery.counts == {"no_trust_root": 1}


def test_with_one_both_topics_are_subscribed_to_at_each_connection(parcels):
    assert parcels.subscribed == BOTH
    parcels.connect()
    assert parcels.subscribed == BOTH * 2


def test_nothing_is_asked_for_before_the_pieces_could_arrive(parcels):
    parcels.assign(DATA)
    parcels.wants()
    parcels.lose()
    parcels.delivery.connected()
    parcels.now += 1
    parcels.delivery.step(parcels.now)
    assert parcels.wants() == []
    parcels.step(2)
    assert len(parcels.wants()) == 1


def test_what_is_asked_for_is_a_small_share_of_the_file(parcels):
    parcels.assign(DATA)
    for _ in range(50):
        under_way = sum(len(list(want.numbers)) for want in parcels.wants())
        assert under_way * PIECE <= len(DATA) / 100
        parcels.step()


# What is superseded, cancelled, paused


@pytest.mark.parametrize("pieces", [0, 1, 100, 301])
@pytest.mark.parametrize("action", ["run", "cancel", "rollback"])
def test_a_newer_word_leaves_no_file_of_the_older_one(parcels, pieces, action):
    parcels.assign(DATA)
    for _ in range(pieces):
        parcels.answer()
        parcels.step()
    parcels.assign(OTHER, 2, action=action)
    assert [name for name in parcels.names() if named(DATA)[:64] in name] == []
    if action == "run":
        parcels.fetch()
        assert (parcels.folder / named(OTHER)).read_bytes() == OTHER
    else:
        assert parcels.names() == ["assignment.json"]
        assert parcels.state == "none"
        assert parcels.entry()["assignment"]["action"] == action
        parcels.wants()
        parcels.step(100, seconds=10)
        assert parcels.wants() == []


def test_a_cancelled_bundle_is_deleted_when_it_is_whole(parcels):
    word = parcels.assign(DATA)
    parcels.fetch()
    parcels.assign(bundle=word.bundle, serial=2, action="cancel")
    assert parcels.names() == ["assignment.json"]


def test_a_pause_keeps_what_is_here_and_asks_for_no_more(parcels):
    word = parcels.assign(DATA)
    for _ in range(20):
        parcels.answer()
        parcels.step()
    parcels.assign(bundle=word.bundle, serial=2, action="pause")
    parcels.wants()
    parcels.step(100, seconds=10)
    assert parcels.wants() == []
    assert named(DATA, "part") in parcels.names()
    parcels.assign(bundle=word.bundle, serial=3)
    sent = parcels.fetch()
    assert len(sent) <= 301 - 19
    assert parcels.state == "verified"


def test_a_newer_word_about_the_same_file_fetches_nothing_again(parcels):
    word = parcels.assign(DATA)
    parcels.fetch()
    parcels.assign(bundle=word.bundle, serial=2, promote=False)
    entry = parcels.entry()
    assert entry["state"] == "verified"
    assert entry["file"] == named(DATA)
    assert entry["assignment"]["serial"] == 2
    assert parcels.fetch() == []


def test_a_whole_file_stays_whole_under_a_newer_word(parcels, monkeypatch):
    """The line may be reading it: it is never called anything else in between."""
    word = parcels.assign(DATA)
    parcels.fetch()
    inbox, states = parcels.reception._inbox, []
    write = inbox.write
    monkeypatch.setattr(inbox, "write", lambda entry: (states.append(entry.state), write(entry)))
    parcels.assign(bundle=word.bundle, serial=2)
    assert set(states) == {"verified"}


def test_a_file_that_is_damaged_during_a_pause_waits_for_its_end(parcels):
    word = parcels.assign(DATA)
    parcels.fetch()
    parcels.assign(bundle=word.bundle, serial=2, action="pause")
    path = parcels.folder / named(DATA)
    path.write_bytes(b"x" + path.read_bytes()[1:])
    parcels.start()
    parcels.step(20, seconds=10)
    assert parcels.wants() == []
    assert (parcels.state, parcels.entry()["file"]) == ("assigned", None)
    parcels.assign(bundle=word.bundle, serial=3)
    assert parcels.fetch() == [0]
    assert parcels.state == "verified"


def test_pieces_of_the_older_transfer_have_no_effect(parcels):
    old = parcels.assign(DATA).bundle
    parcels.wants()
    parcels.assign(OTHER, 2)
    parcels.chunk(old.sha256, 0, DATA[:PIECE])
    parcels.step()
    assert parcels.delivery.counts == {"foreign_piece": 1}
    parcels.fetch()
    assert parcels.state == "verified"


# What is refused


def test_a_refused_pack_changes_nothing_and_is_told(parcels):
    word = parcels.assign(DATA)
    parcels.fetch()
    parcels.trust.refuse = "wrong_key"
    parcels.say(b"something")
    parcels.step(11)
    entry = parcels.entry()
    assert entry["assignment"]["serial"] == word.serial
    assert entry["file"] == named(DATA)
    refusal = entry["refusal"]
    assert refusal["code"] == "wrong_key"
    assert refusal["mend"] == REFUSALS["wrong_key"].mend
    assert refusal["at"].startswith("at ")
    assert parcels.delivery.state()["refusal"] == refusal
    assert "wrong_key" in parcels.delivery.troubles[0].what


def test_a_refusal_ends_with_the_next_word_that_is_taken_or_taken_again(parcels):
    word = parcels.assign(DATA)
    for again in (word, None):
        parcels.trust.refuse = "wrong_key"
        parcels.say(b"something")
        parcels.step(11)
        assert parcels.entry()["refusal"]
        parcels.trust.refuse = None
        if again:
            parcels.say(again.as_bytes())
            parcels.step(11)
        else:
            parcels.assign(OTHER, 2)
        assert parcels.entry()["refusal"] is None
        assert parcels.delivery.troubles == []


@pytest.mark.parametrize("code", ["wrong_clock", "expired", "not_stored", "no_trust_root"])
def test_what_may_be_mended_here_is_judged_again_by_itself(parcels, code):
    parcels.trust.refuse = code
    parcels.assign(DATA)
    assert parcels.state == "none"
    parcels.trust.refuse = None
    parcels.step(40, seconds=1)
    assert parcels.state == "downloading"


def test_a_clock_that_is_set_is_a_reason_to_judge_at_once(parcels):
    parcels.trust.refuse = "wrong_clock"
    parcels.assign(DATA)
    parcels.trust.refuse = None
    parcels.step(2)
    assert parcels.state == "none"
    parcels.clock_set.append(True)
    parcels.step()
    assert parcels.state == "downloading"
    assert parcels.entry()["refusal"] is None


@pytest.mark.parametrize("how", ["an hour later", "the clock is set"])
def test_what_was_accepted_may_expire_and_stays_in_force(parcels, how):
    word = parcels.assign(DATA)
    parcels.fetch()
    parcels.trust.refuse = "expired"
    parcels.clock_set += [True] * (how == "the clock is set")
    parcels.step(seconds=3601.0 if how == "an hour later" else 0.1)
    assert parcels.entry()["refusal"]["code"] == "expired"
    parcels.say(word.as_bytes())  # a broker only repeats it
    parcels.step()
    entry = parcels.entry()
    assert (entry["refusal"]["code"], entry["state"]) == ("expired", "verified")
    parcels.trust.refuse = None
    parcels.step(40, seconds=1)
    assert parcels.entry()["refusal"] is None


def test_other_refusals_are_not_judged_again(parcels):
    parcels.trust.refuse = "wrong_key"
    parcels.assign(DATA)
    parcels.step(100, seconds=10)
    assert parcels.trust.judged == 1


def test_an_expired_pack_is_no_trouble_of_this_station(parcels):
    parcels.trust.refuse = "expired"
    parcels.say(b"something")
    parcels.step(11)
    assert parcels.entry()["refusal"]["code"] == "expired"
    assert parcels.delivery.troubles == []


def test_of_a_flood_of_packs_few_are_judged_and_the_newest_counts(parcels):
    parcels.assign(DATA)
    before = parcels.trust.judged
    bundle = parcels.file(OTHER)
    for serial in range(2, 102):
        parcels.say(assignment_of(serial=serial, bundle=bundle).as_bytes())
        parcels.step(seconds=0.01)
    parcels.step(20)
    assert parcels.entry()["assignment"]["serial"] == 101
    assert parcels.trust.judged - before <= 4


def test_the_same_pack_at_each_connection_is_judged_once(parcels):
    word = parcels.assign(DATA)
    for _ in range(5):
        parcels.say(word.as_bytes())
        parcels.step(11)
    assert parcels.trust.judged == 1


def test_an_emptied_topic_says_nothing(parcels):
    parcels.say(b"")
    parcels.step(11)
    assert parcels.trust.judged == 0


def test_a_bundle_that_is_too_large_is_refused_before_the_first_piece(tmp_path):
    parcels = Parcels(tmp_path / "inbox", max_bytes=len(DATA) - 1)
    word = parcels.assign(DATA)
    entry = parcels.entry()
    assert (entry["state"], entry["code"]) == ("refused", "oversized")
    assert str(len(DATA)) in entry["why"]
    assert parcels.wants() == []
    assert parcels.names() == ["assignment.json"]
    parcels.start()
    parcels.step(10)
    assert parcels.entry()["code"] == "oversized"
    parcels.bounds = Parcels(tmp_path / "other", max_bytes=len(DATA)).bounds
    parcels.start()
    parcels.step(10)
    assert parcels.entry()["assignment"]["serial"] == word.serial
    assert parcels.state == "downloading"


SPOILT = {
    "wrong_bytes": lambda number, data: data[:-1] + bytes([data[-1] ^ 1]),
    "truncated": lambda number, data: data[:-1],
    "too_long": lambda number, data: data + b"x",
}


def spoilt(parcels, code):
    """Until nothing is asked for any more."""
    for _ in range(50):
        parcels.answer(SPOILT[code])
        parcels.step(seconds=130)
        if parcels.entry()["code"] is not None:
            return
    raise AssertionError("it goes on and on")


@pytest.mark.parametrize("code", SPOILT)
def test_a_peer_that_sends_only_wrong_pieces_is_asked_again_after_an_hour(parcels, code):
    parcels.assign(DATA)
    for _ in range(4):
        parcels.answer()
        parcels.step()
    here = parcels.reception.here
    assert here > 0
    spoilt(parcels, code)
    entry = parcels.entry()
    assert (entry["state"], entry["code"]) == ("downloading", code)
    assert entry["why"].startswith(f"{MOST_WRONG} pieces")
    assert REFUSALS[code].words in parcels.delivery.troubles[0].what
    assert parcels.delivery.counts[code] >= MOST_WRONG
    parcels.wants()
    parcels.step(300, seconds=10)
    assert parcels.wants() == []
    parcels.step(70, seconds=10)
    parcels.fetch()
    assert parcels.state == "verified"
    assert parcels.entry()["code"] is None
    assert parcels.delivery.troubles == []


def test_wrong_pieces_do_not_end_a_transfer_whose_right_pieces_come_too(parcels):
    """Somebody else floods the topic: what was asked for comes all the same, and it goes on."""
    parcels.assign(DATA)
    wants = parcels.wants()
    for want in wants:
        for number in [*want.numbers] * MOST_WRONG:
            parcels.chunk(want.sha256, number, b"flood")
    parcels.step()
    assert parcels.entry()["code"] == "truncated"
    for want in wants:
        for number in want.numbers:
            parcels.chunk(want.sha256, number, DATA[number * PIECE : (number + 1) * PIECE])
    parcels.step()
    assert parcels.entry()["code"] is None
    parcels.fetch()
    assert parcels.state == "verified"


def test_wrong_pieces_between_right_ones_only_cost_their_bytes(parcels):
    parcels.assign(DATA)
    for turn in range(4000):
        parcels.answer(SPOILT["wrong_bytes"] if turn % 3 == 0 else lambda number, data: data)
        parcels.step(seconds=130)
        if parcels.state == "verified":
            break
    assert (parcels.folder / named(DATA)).read_bytes() == DATA
    assert parcels.delivery.counts["wrong_bytes"] > 50


def test_hashes_that_do_not_belong_together_are_refused_and_not_tried_for_ever(parcels):
    bundle = parcels.file(DATA)
    lying = replace(bundle, sha256="0" * 64)
    parcels.files[lying.sha256] = DATA
    parcels.assign(bundle=lying)
    assert len(parcels.fetch()) == 301
    entry = parcels.entry()
    assert (entry["state"], entry["code"]) == ("refused", "wrong_bytes")
    assert parcels.names() == ["assignment.json"]


# What has no effect


def test_pieces_that_nobody_asked_for(parcels):
    bundle = parcels.assign(DATA).bundle
    parcels.chunk(bundle.sha256, 200, DATA[200 * PIECE : 201 * PIECE])
    parcels.chunk(bundle.sha256, 9999, b"x")
    parcels.chunk(bundle.sha256, 0, DATA[:PIECE], retained=True)
    parcels.chunk("ab" * 32, 0, b"x")
    parcels.transport.say(f"{STATION.topic('model/chunk')}/x/y/z", b"")
    parcels.transport.say(f"{STATION.topic('model/chunk')}/", b"")
    parcels.step()
    assert parcels.delivery.counts == {"foreign_piece": 6}
    assert parcels.delivery.ignored == len(parcels.told) == 6
    assert parcels.delivery.state()["delivery"]["bytes"] == 0
    parcels.fetch()
    assert parcels.state == "verified"


def test_a_piece_that_comes_twice_is_no_offence(parcels):
    bundle = parcels.assign(DATA).bundle
    parcels.fetch()
    parcels.chunk(bundle.sha256, 0, DATA[:PIECE])
    parcels.step()
    assert parcels.delivery.counts == {}


# The disk


def test_without_room_nothing_is_fetched_until_there_is_some(parcels):
    parcels.free = 2 * len(DATA) - 1
    parcels.assign(DATA)
    entry = parcels.entry()
    assert (entry["state"], entry["code"]) == ("assigned", "no_space")
    assert parcels.wants() == []
    assert "make room" in parcels.delivery.troubles[0].mend
    assert parcels.delivery.state()["delivery"]["code"] == "no_space"
    parcels.free += 1
    parcels.step(31, seconds=1)
    assert parcels.entry()["code"] is None
    parcels.fetch()
    assert parcels.state == "verified"


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "no_space"), (errno.EIO, "not_stored")]
)
def test_a_disk_that_refuses_is_tried_again(parcels, monkeypatch, number, code):
    parcels.assign(DATA)
    for _ in range(10):
        parcels.answer()
        parcels.step()
    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", refuse(number))
        parcels.answer()
        parcels.step(5)
        assert parcels.delivery.state()["delivery"]["code"] == code
        assert parcels.wants() == []
    parcels.step(31, seconds=1)
    sent = parcels.fetch()
    assert parcels.state == "verified"
    assert len(sent) < 300
    assert parcels.delivery.troubles == []


def test_a_word_that_cannot_be_written_down_is_not_acted_on(parcels, monkeypatch):
    parcels.assign(DATA)
    parcels.fetch()
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", refuse(errno.ENOSPC))
        parcels.assign(OTHER, 2)
        assert parcels.entry()["assignment"]["serial"] == 1
        assert parcels.names()[-1] == named(DATA)
        assert parcels.delivery.troubles
    parcels.step(40, seconds=1)
    assert parcels.entry()["assignment"]["serial"] == 2
    parcels.fetch()
    assert parcels.state == "verified"


def test_a_disk_that_does_not_say_how_full_it_is(parcels):
    parcels.free = OSError(errno.EIO, "no answer")
    parcels.assign(DATA)
    assert parcels.delivery.troubles
    assert parcels.wants() == []
    parcels.free = 10**12
    parcels.step(31, seconds=1)
    parcels.fetch()
    assert parcels.state == "verified"


def refuse(number):
    def refusing(*arguments):
        raise OSError(number, "the test says so")

    return refusing


# Patience


def test_what_does_not_come_is_asked_for_again_later_and_later(parcels):
    parcels.assign(DATA)
    first = parcels.wants()
    times = []
    for _ in range(6000):
        parcels.step()
        if again := parcels.wants():
            assert again == first
            times.append(parcels.now)
    waits = [round(after - before) for before, after in pairwise(times)]
    assert waits[0] < waits[1] < waits[2]
    assert max(waits) <= 121
    assert "nobody answers" in parcels.delivery.troubles[0].what
    parcels.start()
    parcels.step(12)
    parcels.fetch()
    assert parcels.state == "verified"


def test_one_piece_that_is_lost_on_the_way_is_asked_for_again_alone(parcels):
    parcels.assign(DATA)
    lost = []

    def losing(number, data):
        if number == 100 and not lost:
            lost.append(number)
            return None
        return data

    sent = []
    for _ in range(1000):
        sent += parcels.answer(losing)
        parcels.step()
        if parcels.state == "verified":
            break
    assert len(sent) <= 301 + 2


def test_the_bandwidth_is_kept_to_by_asking_less(tmp_path):
    parcels = Parcels(tmp_path / "inbox", bytes_per_s=5 * PIECE)
    parcels.assign(DATA)
    began, came = parcels.now, 0
    while parcels.state != "verified":
        came += len(parcels.answer())
        parcels.step()
        assert came * PIECE <= 5 * PIECE * (parcels.now - began + 2.2)
    assert parcels.now - began < 301 / 5 * 1.1


def test_a_cap_below_one_piece_a_second_still_gets_on(tmp_path):
    parcels = Parcels(tmp_path / "inbox", bytes_per_s=100)
    parcels.assign(OTHER)
    began = parcels.now
    while parcels.state != "verified":
        parcels.answer()
        parcels.step(seconds=1)
    assert 450 < parcels.now - began < 600


@pytest.mark.parametrize("everything", [False, True])
def test_what_somebody_has_taken_away_is_fetched_anew(parcels, everything):
    parcels.assign(DATA)
    parcels.fetch()
    assert parcels.state == "verified"
    if everything:
        shutil.rmtree(parcels.folder)
    else:
        (parcels.folder / named(DATA)).unlink()
    parcels.step(2, seconds=NOTE_EVERY_S)
    assert parcels.state in ("assigned", "downloading")
    parcels.fetch()
    assert parcels.state == "verified"
    assert parcels.names() == ["assignment.json", named(DATA)]
    assert parcels.delivery.troubles == []
