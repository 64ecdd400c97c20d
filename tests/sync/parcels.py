"""A delivery with a clock that the test turns, and a fleet in the test that answers it."""

from __future__ import annotations

import json
from random import Random
from types import SimpleNamespace

from sync.assignment import AssignmentError, parse
from sync.delivery import Delivery
from sync.inbox import Inbox
from sync.reception import Bounds, Reception
from sync.refusals import TrustRefused
from sync.topics import Station
from sync.transport import Acknowledged
from sync.want import chunks, decode_want
from tests.simulators.loopback import Loopback
from tests.simulators.signer import assignment_of, bundle_file

STATION = Station("plant-a", "line-3", "caps")
PIECE = 1000


def content(size, seed=1):
    return Random(seed).randbytes(size)


class PlainTrust:
    """Takes every assignment that is not older than the last; `refuse` makes it refuse all."""

    def __init__(self):
        self.serial = 0
        self.refuse = None
        self.judged = self.noted = 0

    def accept(self, pack):
        self.judged += 1
        if self.refuse is not None:
            raise TrustRefused(self.refuse, "the test says so")
        try:
            found = parse(pack)
        except AssignmentError as error:
            raise TrustRefused("malformed", str(error)) from error
        if found.serial < self.serial:
            raise TrustRefused("old_assignment", "an older one")
        self.serial = found.serial
        return SimpleNamespace(assignment=found)

    def note_time(self):
        self.noted += 1


class Parcels:
    """A station's delivery; what the fleet holds is in `files`, by hash."""

    def __init__(self, folder, trust=True, **bounds):
        self.folder = folder
        self.trust = PlainTrust() if trust else None
        self.bounds = Bounds(**bounds)
        self.free = 10**12
        self.clock_set = []
        self.now = 1000.0
        self.files = {}
        self.told = []
        self.start()

    # The station

    def start(self):
        """As after a start of the service: only the folder is left."""
        self.transport = Loopback()
        self.reception = self.trust and Reception(
            Inbox(self.folder),
            self.trust,
            self.room,
            lambda: f"at {self.now:.0f}",
            self.bounds,
            lambda: 0.5,
            lambda: bool(self.clock_set and self.clock_set.pop()),
        )
        self.delivery = Delivery(
            self.reception, self.transport, STATION, lambda topic, why: self.told.append(why)
        )
        self.answered = 0
        self.connect()

    def room(self):
        if isinstance(self.free, OSError):
            raise self.free
        return self.free

    def connect(self):
        self.transport.connect()
        self.delivery.connected()
        self.answered = len(self.transport.published)

    def lose(self):
        self.transport.events()
        self.delivery.lost()

    def step(self, times=1, seconds=0.1):
        for _ in range(times):
            self.now += seconds
            self.transport.acknowledge_all()
            for event in self.transport.events():
                taken = self.delivery.take(event, self.now)
                assert taken or isinstance(event, Acknowledged)
            while self.delivery.work(self.now):
                pass
            self.delivery.step(self.now)

    # The fleet

    def file(self, data, name="caps", piece=PIECE):
        """The fleet has this file; what an assignment says of it."""
        bundle = bundle_file(data, name, piece=piece)
        self.files[bundle.sha256] = data
        return bundle

    def assign(self, data=None, serial=1, bundle=None, **changes):
        """Publish an assignment; the station has acted on it afterwards."""
        bundle = bundle or self.file(data)
        word = assignment_of(serial=serial, bundle=bundle, **changes)
        self.say(word.as_bytes())
        self.step(11)
        return word

    def say(self, pack, retained=True):
        self.transport.say(STATION.model_assignment, pack, retained)

    def wants(self):
        """What was asked for and not yet answered."""
        topic = STATION.model_want
        new = self.transport.published[self.answered :]
        self.answered = len(self.transport.published)
        return [decode_want(one.payload) for one in new if one.topic == topic]

    def answer(self, change=lambda number, data: data):
        """Answer everything that was asked for, with pieces that `change` may spoil or leave out;
        the numbers of what was sent."""
        sent = []
        for want in self.wants():
            data = self.files[want.sha256]
            for number in want.numbers:
                piece = change(number, data[number * want.piece : (number + 1) * want.piece])
                if piece is not None:
                    self.chunk(want.sha256, number, piece)
                    sent.append(number)
        return sent

    def chunk(self, sha256, number, data, retained=False):
        self.transport.say(STATION.model_chunk(sha256, number), data, retained)

    def fetch(self, most=10_000):
        """Until nothing more is asked for; the numbers of what was sent."""
        sent = []
        for _ in range(most):
            new = self.answer()
            sent += new
            self.step()
            if not new:
                return sent
        raise AssertionError("it goes on and on")

    # What is there

    def entry(self):
        path = self.folder / "assignment.json"
        return json.loads(path.read_bytes()) if path.exists() else None

    @property
    def state(self):
        return self.entry()["state"]

    def names(self):
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    @property
    def subscribed(self):
        return [name for name, _ in self.transport.subscribed]


BOTH = [STATION.model_assignment, chunks(STATION)]
