"""Whatever broker, collector, service and journal do: the position is what the collector committed,
and in the end it has everything, or knows what it does not have."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sync import chain
from sync.acknowledgement import Span, Through
from sync.gap import Gap, decode
from sync.transport import Acknowledged
from tests.conftest import SOAK
from tests.sync.bench import Bench, joined


class Weather(RuleBasedStateMachine):
    """The collector here keeps what it committed; messages between it and the broker may be lost,
    also after the broker acknowledged them."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.bench = Bench(
            Path(self.folder.name), 5, collector=True, max_rows=3, window=3, live_after=8
        )
        self.epoch = 1
        self.held = {}
        """By epoch: the ranges that are committed, with the hash of their ends."""
        self.hashes = {}
        self.missing = set()

    def take(self, one):
        found = decode(one.payload)
        held = self.held.setdefault(found.epoch, set())
        hashes = self.hashes.setdefault(found.epoch, {0: chain.GENESIS})
        if found.previous_hash is not None:
            known = hashes.get(found.first - 1, found.previous_hash)
            assert known == found.previous_hash
        assert hashes.setdefault(found.last, found.hash) == found.hash
        held.add((found.first, found.last))
        if isinstance(found, Gap):
            self.missing |= {(found.epoch, seq) for seq in range(found.first, found.last + 1)}

    def words(self):
        for epoch, held in self.held.items():
            spans = joined(held)
            seq = spans.pop(0)[1] if spans and spans[0][0] == 1 else 0
            known = self.hashes[epoch]
            ahead = tuple(Span(first, last, known[last]) for first, last in spans[:16])
            yield Through(epoch, seq, known[seq], ahead)

    @rule(count=st.integers(1, 8))
    def record(self, count):
        self.bench.journal.add(count)

    @rule(count=st.integers(1, 4), lost=st.booleans())
    def broker_takes(self, count, lost):
        transport = self.bench.transport
        waiting = transport._unanswered
        tokens, waiting[:] = waiting[:count], waiting[count:]
        for one in transport.segments():
            if one.token in tokens and not lost:
                self.take(one)
        for token in tokens:
            transport.answer(Acknowledged(token))

    @rule(retained=st.booleans())
    def collector_speaks(self, retained):
        if self.bench.uplink.connected:
            self.bench.say(*self.words(), retained=retained)

    @rule(data=st.data())
    def collector_is_restored(self, data):
        """It holds less than it did, and asks for the rest."""
        now = f"epoch-{self.epoch}"
        held = sorted(self.held.get(now, ()))
        if held:
            kept = held[: data.draw(st.integers(0, len(held)))]
            self.held[now] = set(kept)
            spans = joined(kept)
            through = spans[0][1] if spans and spans[0][0] == 1 else 0
            if self.bench.position.epoch == now and through < self.bench.position.seq:
                # A rewind that is lost is asked for again when the station's status shows it.
                self.bench.uplink.streams.all[0]._rewind_at = 0.0
                if not self.bench.uplink.connected:
                    self.bench.transport.accept()
                self.bench.step()
                self.bench.ask(through + 1, epoch=now)
                self.bench.step()

    @rule()
    def connect(self):
        if not self.bench.uplink.connected:
            self.bench.transport.accept()

    @rule()
    def lose(self):
        self.bench.transport.lose()

    @rule(times=st.integers(1, 60))
    def step(self, times):
        self.bench.step(times)

    @rule()
    def kill(self):
        self.bench.start()

    @rule()
    def begin_anew(self):
        self.epoch += 1
        self.bench.journal.begin(f"epoch-{self.epoch}")

    @rule(data=st.data())
    def delete(self, data):
        """Only what is acknowledged is ever deleted."""
        stored = self.bench.stored()
        journal = self.bench.journal
        if stored is not None and stored.epoch == journal._epoch:
            acknowledged = [row for row in journal.held if row.seq <= stored.seq]
            count = data.draw(st.integers(0, len(acknowledged)))
            if count:
                journal.prune(count)

    @invariant()
    def positions_are_committed(self):
        if not self.bench.uplink.streams.current:
            return
        position = self.bench.position
        if position is not None and position.seq:
            spans = joined(self.held.get(position.epoch, ()))
            assert spans[0][0] == 1
            assert position.seq <= spans[0][1]

    def teardown(self):
        for _ in range(400):
            self.connect()
            self.bench.step(3)
            self.broker_takes(100, False)
            self.bench.step()
            self.collector_speaks(False)
            if self.bench.uplink.drained:
                break
        now = f"epoch-{self.epoch}"
        everything = {
            seq for first, last in self.held.get(now, ()) for seq in range(first, last + 1)
        }
        assert {row.seq for row in self.bench.journal.held} <= everything
        assert self.bench.uplink.drained, self.bench.troubles
        assert self.bench.transport.connects <= 200
        self.folder.cleanup()


Weather.TestCase.settings = settings(
    max_examples=400 if SOAK else 40, stateful_step_count=60 if SOAK else 30, deadline=None
)
TestWeather = Weather.TestCase
