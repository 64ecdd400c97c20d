from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sync.segment import decode
from sync.transport import Acknowledged
from tests.sync.bench import Bench


class Weather(RuleBasedStateMachine):
    """Whatever broker, service and journal do, the position is acknowledged and nothing is lost."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.bench = Bench(Path(self.folder.name), 5, max_rows=3, window=3)
        self.taken = set()
        self.epoch = 1

    def collect(self, count):
        """The broker takes (and acknowledges) the oldest `count` messages of this connection."""
        waiting = self.bench.transport._unanswered
        tokens, waiting[:] = waiting[:count], waiting[count:]
        for one in self.bench.transport.segments():
            if one.token in tokens:
                found = decode(one.payload)
                self.taken |= {(found.epoch, seq) for seq in range(found.first, found.last + 1)}
        for token in tokens:
            self.bench.transport.answer(Acknowledged(token))

    @rule(count=st.integers(1, 5))
    def record(self, count):
        self.bench.journal.add(count)

    @rule(count=st.integers(1, 4))
    def acknowledge(self, count):
        self.collect(count)

    @rule()
    def connect(self):
        if not self.bench.uplink.connected:
            self.bench.transport.accept()

    @rule()
    def lose(self):
        self.bench.transport.lose()

    @rule(times=st.integers(1, 12))
    def step(self, times):
        self.bench.step(times)

    @rule()
    def kill(self):
        self.bench.start()

    @rule()
    def begin_anew(self):
        self.epoch += 1
        self.bench.journal.begin(f"epoch-{self.epoch}")

    @invariant()
    def positions_are_acknowledged(self):
        begun = self.bench.uplink.streams.current
        for mark in (self.bench.position if begun else None, self.bench.stored()):
            if mark is not None:
                assert {(mark.epoch, seq) for seq in range(1, mark.seq + 1)} <= self.taken

    def teardown(self):
        for _ in range(200):
            self.connect()
            self.bench.step()
            self.collect(100)
        held = {(f"epoch-{self.epoch}", row.seq) for row in self.bench.journal.held}
        assert held <= self.taken
        assert self.bench.uplink.drained
        self.folder.cleanup()


Weather.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestWeather = Weather.TestCase
