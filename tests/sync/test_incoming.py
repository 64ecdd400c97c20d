"""A file that comes in pieces, over restarts, damage, power cuts: what is bad comes again."""

import hashlib
import os
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.incoming import LOOK_BYTES, Incoming, PieceError
from tests.conftest import SOAK
from tests.faults.powercut import Disk, moments, write_tree
from tests.faults.preload import Faults
from tests.faults.quick import scratch
from tests.simulators.signer import bundle_file
from tests.sync.parcels import PIECE, Parcels, content

DATA = content(200 * PIECE + 5)
CUTS = 1500 if SOAK else 150


def part_of(parcels, end="part"):
    return parcels.folder / f"{hashlib.sha256(DATA).hexdigest()}.{end}"


@pytest.fixture
def halfway(tmp_path):
    """A transfer that has been cut off after 100 pieces or so."""
    parcels = Parcels(tmp_path / "inbox")
    parcels.assign(DATA)
    while parcels.reception.here < 100 * PIECE:
        parcels.answer()
        parcels.step()
    parcels.had = parcels.reception.here // PIECE
    return parcels


def again(parcels):
    """A new process: the numbers of the pieces that it fetches until the file is whole."""
    parcels.start()
    parcels.step(3)
    sent = parcels.fetch()
    assert parcels.state == "verified"
    assert part_of(parcels, "zip").read_bytes() == DATA
    return sent


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def test_a_new_process_fetches_the_rest(halfway):
    assert sorted(again(halfway)) == list(range(halfway.had, 201))


def test_a_lost_connection_costs_what_was_under_way(halfway):
    under_way = sum(len(list(want.numbers)) for want in halfway.wants())
    halfway.lose()
    halfway.connect()
    halfway.step()
    sent = halfway.fetch()
    assert halfway.had + under_way + len(sent) <= 201 + 2


@pytest.mark.parametrize("piece", [0, 50, 99])
def test_a_damaged_piece_is_fetched_again_alone(halfway, piece):
    flip(part_of(halfway), piece * PIECE + 17)
    sent = again(halfway)
    assert sorted(sent) == sorted([piece, *range(halfway.had, 201)])


@pytest.mark.parametrize("byte", [0, 5, 12, 20])
def test_a_damaged_bitmap_costs_nothing(halfway, byte):
    flip(part_of(halfway, "map"), byte)
    assert sorted(again(halfway)) == list(range(halfway.had, 201))


@pytest.mark.parametrize("content", [None, b"", b"x" * 10_000])
def test_a_bitmap_that_is_gone_or_another_costs_nothing(halfway, content):
    part_of(halfway, "map").unlink()
    if content is not None:
        part_of(halfway, "map").write_bytes(content)
    assert sorted(again(halfway)) == list(range(halfway.had, 201))


@pytest.mark.parametrize("size", [0, 1, 50 * PIECE + 1, 10 * len(DATA)])
def test_a_file_of_another_length(halfway, size):
    os.truncate(part_of(halfway), size)
    least = min(halfway.had, size // PIECE)
    assert sorted(again(halfway)) == list(range(least, 201))


def test_a_whole_file_that_is_damaged_later_gets_its_bad_piece_anew(halfway):
    halfway.fetch()
    flip(part_of(halfway, "zip"), 77 * PIECE)
    assert again(halfway) == [77]


def test_a_whole_file_that_is_gone_is_fetched_again(halfway):
    halfway.fetch()
    part_of(halfway, "zip").unlink()
    assert len(again(halfway)) == 201


def test_a_whole_file_is_not_written_again(halfway):
    halfway.fetch()
    before = part_of(halfway, "zip").stat()
    assert again(halfway) == []
    after = part_of(halfway, "zip").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_piece_that_the_disk_changes_at_the_end_is_found_before_the_file_counts(halfway):
    while halfway.reception.here < 200 * PIECE:
        halfway.answer()
        halfway.step()
    flip_in_place(part_of(halfway), 3 * PIECE)
    sent = halfway.fetch()
    assert 3 in sent
    assert halfway.state == "verified"
    assert part_of(halfway, "zip").read_bytes() == DATA


def flip_in_place(path, at):
    with open(path, "r+b", buffering=0) as file:
        byte = os.pread(file.fileno(), 1, at)[0]
        os.pwrite(file.fileno(), bytes([byte ^ 1]), at)


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path):
    parcels = Parcels(tmp_path / "inbox")
    parcels.assign(DATA)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    part_of(parcels).unlink()
    part_of(parcels).symlink_to(victim)
    parcels.start()
    parcels.step(10)
    assert victim.read_bytes() == b"precious"
    assert parcels.delivery.troubles


# Alone


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 700), st.randoms(use_true_random=False))
def test_whatever_order_pieces_come_in(size, piece, chance):
    data = chance.randbytes(size)
    bundle = bundle_file(data, piece=piece)
    with scratch(None) as folder:
        incoming = Incoming(folder, bundle)
        numbers = list(range(len(bundle.pieces)))
        chance.shuffle(numbers)
        for count, number in enumerate(numbers):
            assert not incoming.complete
            if count == len(numbers) // 2:
                incoming.close()
                incoming = Incoming(folder, bundle)
                while incoming.look():
                    pass
            assert set(incoming.missing()) == set(numbers[count:])
            incoming.put(number, data[number * piece : (number + 1) * piece])
        assert incoming.complete
        while (right := incoming.prove()) is None:
            pass
        assert right
        incoming.finish(folder / "whole")
        assert (folder / "whole").read_bytes() == data


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"abc", "truncated"), (b"", "truncated"), (b"abcde", "too_long"), (b"abcx", "wrong_bytes")],
)
def test_a_wrong_piece_changes_nothing(tmp_path, data, code):
    incoming = Incoming(tmp_path, bundle_file(b"abcdefgh", piece=4))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(PieceError) as caught:
        incoming.put(0, data)
    assert caught.value.code == code
    assert not incoming.holds(0)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    incoming.close()


def test_looking_and_proving_go_in_small_steps(tmp_path):
    data = content(3 * LOOK_BYTES + 1)
    bundle = bundle_file(data, piece=65536)
    (tmp_path / f"{bundle.sha256}.part").write_bytes(data)
    incoming = Incoming(tmp_path, bundle)
    looks = 1
    while incoming.look():
        looks += 1
    assert looks >= 3
    assert incoming.complete
    proofs = 1
    while incoming.prove() is None:
        proofs += 1
    assert proofs >= 3
    incoming.close()


# Power cuts

WRITER = """
import sys
from pathlib import Path
from tests.sync.parcels import Parcels, content
parcels = Parcels(Path(sys.argv[1]) / "inbox")
parcels.assign(content(250_000))
print("assigned", flush=True)
while parcels.state != "verified":
    parcels.answer()
    parcels.step()
    incoming = parcels.reception.transfer._incoming
    print(f"here {incoming.bytes - incoming.unsynced}", flush=True)
print("verified", flush=True)
"""


@pytest.mark.slow
def test_a_power_cut_at_any_moment_loses_little_and_never_lies(tmp_path):
    """Whatever was durable is not fetched again; a file that is called whole is whole."""
    top = tmp_path / "top"
    top.mkdir()
    faults = Faults(tmp_path / "faults", top, record=True)
    command = [sys.executable, "-c", WRITER, str(top)]
    subprocess.run(
        command, env=faults.environment, check=True, timeout=120, stdout=subprocess.DEVNULL
    )
    events = faults.events()
    chance = Random(7)
    disk, at = Disk(top), 0
    said = "nothing"
    with scratch(tmp_path) as quick:
        # the last one after everything: where the others fall depends on what was written when
        for cut, moment in enumerate([*moments(events, CUTS, chance), len(events)]):
            for event in events[at:moment]:
                disk.take(event)
                if event.op == "M":
                    said = event.data.decode().strip() or said
            at = max(at, moment)
            after = quick / str(cut)
            write_tree(disk.after_power_cut(chance.getrandbits(32)), after)
            restarted(after / "inbox", said)
    assert said == "verified"


def restarted(folder, said):
    """What a station finds and does after the cut; `said` is what it had reported before."""
    parcels = Parcels(folder)
    data = content(250_000)
    parcels.file(data)
    before = parcels.entry() or {"state": "none", "assignment": None}
    assert before["state"] != "none" or said == "nothing"
    if before["state"] == "verified":
        assert (folder / before["file"]).read_bytes() == data
    assert before["state"] == "verified" or said != "verified"
    parcels.step(5)
    durable = int(said.split()[1]) if said.startswith("here") else 0
    assert parcels.reception.here >= durable
    if before["assignment"] is None:
        parcels.assign(data)
    sent = parcels.fetch()
    assert parcels.state == "verified"
    assert len(sent) <= (len(data) - durable) // PIECE
