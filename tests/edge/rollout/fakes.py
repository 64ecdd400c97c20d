"""What the steward works with, as objects that do what a test says."""

from dataclasses import dataclass, field

from edge.rollout.breach import Breach
from edge.rollout.outcome import Calibrated, Installed, Proved
from edge.rollout.standing import Place
from tests.edge.rollout.candidates import digest, place


@dataclass
class FakeModels:
    """Models that are warm at once, unless told otherwise; `calls` is what was asked of them."""

    active: Place = field(default_factory=place)
    beside: Place | None = None
    warm: bool = True
    prepared: bool = True
    fault: Breach | None = None
    fell: Breach | None = None
    lost: Breach | None = None
    asked: bool = True
    comes_back: bool = True
    unconfirmed: bool = False
    vouched: bool = False
    cuts_in_force: bool = True
    fits: bool = True
    applied: str | None = None
    decided: int = 0
    shared: float = 0.0
    calls: list = field(default_factory=list)

    @property
    def calibration(self):
        return self.applied or self.active.calibration

    def load(self, place):
        self.calls.append(("load", place.slot))
        self.beside, self.shared = place, 0.0

    def prepare(self):
        if self.beside is not None:
            self.prepared = self.warm

    def keep(self, place):
        self.calls.append(("keep", place.slot))
        self.beside = place

    def calibrate(self, place):
        self.calls.append(("calibrate", place.calibration))
        self.beside = place

    def share(self, share):
        if share != self.shared:
            self.calls.append(("share", share))
        self.shared = share

    def promote(self, place):
        if not self.prepared:
            return
        self.calls.append(("promote", place.slot))
        self.active, self.beside, self.shared = place, self.active, 0.0
        self.applied = None

    def restore(self, place):
        self.calls.append(("restore", place.slot))
        if not self.comes_back:
            return
        self.active, self.fell, self.applied = place, None, None
        if self.beside is not None and self.beside.digest == place.digest:
            self.beside = None

    def drop(self):
        self.calls.append(("drop",))
        self.beside, self.fault, self.shared = None, None, 0.0


@dataclass
class FakeWork:
    """Slow steps that end as `ends` says; a kind that is not in it never ends."""

    ends: dict = field(default_factory=dict)
    started: list = field(default_factory=list)
    stopped: int = 0
    kind: str | None = None

    @property
    def busy(self):
        return self.kind is not None

    def start(self, kind, arguments):
        self.started.append((kind, arguments))
        self.kind = kind

    def poll(self):
        if self.kind is None or self.kind not in self.ends:
            return None
        kind, self.kind = self.kind, None
        made = self.ends[kind]
        return made(self.started[-1][1]) if callable(made) else made

    def stop(self):
        self.stopped += 1
        self.kind = None


def all_well():
    """Every slow step ends well."""
    return {
        "install": lambda asked: Installed(True, slot=asked["slot"], digest=asked["digest"]),
        "prove": Proved(True),
        "calibrate": Calibrated(True, calibration="cal-c"),
    }


@dataclass
class FakeDossier:
    """Evidence that says what the test says."""

    parts: int = 0
    breach: Breach | None = None
    closed: bool = False
    least: int = 10

    def step(self, now_ns):
        """Nothing comes by itself."""

    def lacking(self, since):
        seen = self.parts - since
        return None if seen >= self.least else f"{seen} of at least {self.least} parts"

    def broken(self):
        return self.breach

    def as_json(self):
        return {"parts": self.parts}

    def close(self):
        self.closed = True


def other_digest():
    """The digest of a bundle that nobody asked for."""
    return digest("0")
