"""A station that trusts a fleet, for tests."""

import pytest

from sync.refusals import REFUSALS, TrustRefused
from sync.trust import Trust
from tests.simulators.signer import START, Signer, assignment_of

STATION = "plant-a/line-3/caps"


class Station:
    """A station that has taken number 1 of an honest fleet. Its clock stands until it is set."""

    def __init__(self, folder, fleet=None):
        self.folder = folder
        self.fleet = fleet or Signer()
        self.clock = START
        self.synced = True
        self.told = []
        self.root_file = folder / "root.json"
        self.root_file.write_bytes(self.fleet.roots[0])
        self.fleet.assign(assignment_of())
        self.begin()

    def begin(self):
        """A new process."""
        self.trust = Trust(
            self.folder / "trust",
            self.root_file,
            STATION,
            now=lambda: self.clock,
            clock_synced=lambda: self.synced,
            tell=self.told.append,
        )

    def days(self, number):
        """So many days later, for the fleet too."""
        self.clock += number * 86400
        self.fleet.at = self.clock

    def accept(self, pack=None):
        """The serial of what is accepted; what the fleet has published last, unless given."""
        return self.trust.accept(self.fleet.pack() if pack is None else pack).assignment.serial

    def refuse(self, pack=None, code=None, learns=False):
        """What is said when this pack is refused, with this code. Nothing that is remembered
        changes, unless a root is learnt (the first one always is)."""
        before = self.remembered()
        with pytest.raises(TrustRefused) as caught:
            self.accept(pack)
        assert caught.value.code == code, caught.value
        assert caught.value.mend
        assert learns or not before or self.remembered() == before
        assert caught.value.code in REFUSALS
        return caught.value.what

    def remembered(self):
        """The bytes of what is remembered; there is nothing else in the folder."""
        files = sorted((self.folder / "trust").glob("*"))
        return {path.name: path.read_bytes() for path in files}
