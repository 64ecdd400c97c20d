"""From the pack to the inbox, with real signatures: what is forged touches nothing there."""

import pytest
from securesystemslib.signer import CryptoSigner

from sync.trust import Trust
from tests.simulators.signer import START, Signer, assignment_of, bundle_file
from tests.sync.parcels import STATION, Parcels, content


class Attacked(Parcels):
    """A station that has a bundle of an honest fleet, and whoever sends it something else."""

    def __init__(self, folder):
        self.fleet = Signer()
        self.clock = START
        root = folder / "root.json"
        root.write_bytes(self.fleet.roots[0])
        super().__init__(folder / "inbox")
        self.trust = Trust(
            folder / "trust",
            root,
            str(STATION),
            now=lambda: self.clock,
            clock_synced=lambda: True,
        )
        self.start()

    def order(self, serial, data, **changes):
        bundle = self.file(data)
        self.fleet.assign(assignment_of(serial=serial, bundle=bundle, **changes))
        return bundle

    def hear(self, pack=None):
        """A pack comes; afterwards whatever it led to has been done."""
        self.say(self.fleet.pack() if pack is None else pack)
        self.step(11)
        self.fetch()

    def here(self):
        """The line's view: the assignment, its file, and nothing about refusals."""
        entry = {name: said for name, said in self.entry().items() if name != "refusal"}
        return entry, {
            name: (self.folder / name).read_bytes() for name in self.names() if name.endswith("zip")
        }


@pytest.fixture
def station(tmp_path):
    made = Attacked(tmp_path)
    made.good = made.order(1, content(5000))
    made.hear()
    assert made.state == "verified"
    return made


def older(station):
    old = station.fleet.pack()
    station.order(2, content(3000, 2))
    station.hear()
    return old


def arbitrary_file(station):
    evil = station.file(content(2000, 9))
    station.fleet.assign(assignment_of(serial=2, bundle=evil), listing=False)
    return station.fleet.pack()


def wrong_key(station):
    thief = Signer()
    thief.assign(assignment_of(serial=2, bundle=station.file(content(2000, 9))))
    return thief.pack()


def under_threshold(station):
    station.fleet.new_targets(station.fleet.keys["targets"][:1])
    station.fleet.publish()
    return station.fleet.pack()


def revoked(station):
    stolen = station.fleet.keys["timestamp"]
    station.fleet.keys["timestamp"] = [CryptoSigner.generate_ed25519()]
    station.fleet.new_root()
    station.order(2, content(3000, 2))
    station.hear()
    station.fleet.sign_timestamp(stolen)
    return station.fleet.pack()


def frozen(station):
    station.fleet.publish()
    pack = station.fleet.pack()
    station.clock += 8 * 86400
    return pack


def mixed(station):
    old = station.fleet.documents["snapshot"]
    station.order(2, content(3000, 2))
    names = station.fleet.files()
    newest = next(name for name in names if "snapshot" in name)
    return station.fleet.pack(**{newest: old.decode()})


def of_another(station):
    station.fleet.assign(assignment_of("p/q/r", serial=9, bundle=bundle_file(b"theirs")))
    return station.fleet.pack("p/q/r")


def endless(station):
    return b"x" * (2 << 20)


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (arbitrary_file, "unlisted"),
        (wrong_key, "wrong_key"),
        (under_threshold, "under_threshold"),
        (older, "rollback"),
        (frozen, "expired"),
        (mixed, "mix_and_match"),
        (of_another, "other_station"),
        (endless, "endless"),
        (revoked, "revoked_key"),
    ],
)
def test_what_is_forged_touches_nothing(station, attack, code):
    pack = attack(station)
    before = station.here()
    assert before[0]["state"] == "verified"
    station.hear(pack)
    assert station.entry()["refusal"]["code"] == code
    assert station.here() == before
    station.start()  # and after a restart nothing else is made of it
    station.hear(pack)
    assert station.entry()["refusal"]["code"] == code
    assert station.here() == before


def test_afterwards_the_genuine_is_taken(station):
    station.hear(wrong_key(station))
    better = station.order(2, content(4000, 3))
    station.hear()
    assert station.entry()["file"] == f"{better.sha256}.zip"
    assert station.entry()["refusal"] is None
    assert station.here()[1] == {f"{better.sha256}.zip": content(4000, 3)}


@pytest.mark.parametrize("action", ["pause", "cancel", "rollback"])
def test_nothing_is_fetched_that_nobody_is_to_run(station, action):
    """Also not where the list of bundles is not asked for the word to count."""
    evil = station.file(content(2000, 9))
    listing = action == "pause"
    word = assignment_of(serial=2, bundle=evil, action=action)
    station.fleet.assign(word, listing=listing)
    station.hear()
    assert station.entry()["assignment"]["action"] == action
    assert station.entry()["file"] is None
    assert not [name for name in station.names() if name.startswith(evil.sha256)]
