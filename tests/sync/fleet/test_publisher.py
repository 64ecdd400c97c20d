import hashlib

from hypothesis import given
from hypothesis import strategies as st

from sync.fleet import publisher as module
from sync.fleet.publisher import MOST_PER_STATION, MOST_UNDER_WAY, Allowed, Publisher
from sync.transport import NO_LIMIT, Refused
from sync.want import Want, encode_want
from tests.simulators.loopback import Loopback

ONE, TWO = "a/b/one", "a/b/two"
DATA = bytes(range(256)) * 40
FILE = Allowed(hashlib.sha256(DATA).hexdigest(), len(DATA), 100)
LAST = -(-len(DATA) // 100) - 1


def piece(sha256, number):
    return DATA[number * 100 : number * 100 + 100] if sha256 == FILE.sha256 else None


def want(*ranges, window=1000, file=FILE):
    return encode_want(Want(file.sha256, file.size, file.piece, ranges, window))


class Bench:
    def __init__(self, *stations):
        self.wire = Loopback()
        self.wire.connect()
        self.publisher = Publisher(self.wire, piece)
        self.publisher.assign({station: FILE for station in stations})

    def step(self, room=NO_LIMIT, largest=NO_LIMIT):
        self.publisher.step(room, largest)

    def answer(self):
        self.wire.acknowledge_all()
        for event in self.wire.events():
            self.publisher.take(event)

    def all(self):
        while self.publisher.busy:
            self.step()
            self.answer()

    def got(self, station=ONE):
        found = {}
        for one in self.wire.published:
            topic = f"ei/v1/{station}/model/chunk/{FILE.sha256}/"
            if one.topic.startswith(topic):
                assert not one.retain
                found[int(one.topic.removeprefix(topic))] = one.payload
        return found


def test_what_is_wanted_comes_once_and_is_right():
    bench = Bench(ONE)
    bench.publisher.want(ONE, want((0, LAST)))
    bench.all()
    assert b"".join(data for _, data in sorted(bench.got().items())) == DATA
    assert bench.publisher.counters.pieces == LAST + 1


def test_what_is_under_way_is_not_sent_again_and_what_has_left_is():
    bench = Bench(ONE)
    bench.publisher.want(ONE, want((0, 1)))
    bench.step()
    bench.publisher.want(ONE, want((0, 2)))
    bench.step()
    assert bench.publisher.counters.pieces == 3
    bench.answer()
    bench.publisher.want(ONE, want((0, 0)))
    bench.step()
    assert bench.publisher.counters.pieces == 4


def test_so_much_is_under_way_and_no_more():
    bench = Bench(ONE, *(f"a/b/{number}" for number in range(20)))
    bench.publisher.want(ONE, want((0, LAST)))
    bench.step()
    assert bench.publisher.under_way == MOST_PER_STATION
    for number in range(20):
        bench.publisher.want(f"a/b/{number}", want((0, LAST)))
    bench.step()
    assert bench.publisher.under_way == MOST_UNDER_WAY
    bench.answer()
    bench.step(room=3)
    assert bench.publisher.under_way == 3


def test_a_station_says_how_much_it_takes_at_once():
    bench = Bench(ONE)
    bench.publisher.want(ONE, want((0, LAST), window=2))
    bench.step()
    assert bench.publisher.under_way == 2


def test_bytes_under_way_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES_UNDER_WAY", 250)
    bench = Bench(ONE)
    bench.publisher.want(ONE, want((0, LAST)))
    bench.step()
    assert bench.publisher.under_way == 3


def test_stations_take_turns():
    bench = Bench(ONE, TWO)
    bench.publisher.want(ONE, want((0, LAST)))
    bench.publisher.want(TWO, want((0, LAST)))
    for _ in range(4):
        bench.step(room=4)
        bench.answer()
    assert len(bench.got(ONE)) == len(bench.got(TWO)) == 8


def test_a_station_gets_only_what_it_is_assigned():
    bench = Bench(ONE)
    bench.publisher.want(TWO, want((0, 0)))
    bench.publisher.want(ONE, want((0, 0), file=Allowed("f" * 64, len(DATA), 100)))
    bench.publisher.want(ONE, want((0, 0), file=Allowed(FILE.sha256, len(DATA), 200)))
    bench.step()
    bench.publisher.assign({ONE: FILE})
    bench.step()
    assert not bench.wire.published
    assert bench.publisher.counters.ignored == 2  # of ONE only the newest was remembered


def test_who_asks_before_the_assignment_is_known_here_is_answered_then():
    bench = Bench()
    bench.publisher.want(ONE, want((0, 0)))
    bench.step()
    assert not bench.wire.published
    bench.publisher.assign({ONE: FILE})
    bench.step()
    assert list(bench.got()) == [0]
    assert not bench.publisher.counters.ignored


def test_another_assignment_ends_what_was_asked_for():
    bench = Bench(ONE)
    bench.publisher.want(ONE, want((0, LAST)))
    bench.step(room=1)
    bench.publisher.assign({ONE: Allowed("e" * 64, 5, 5)})
    bench.answer()
    bench.all()
    assert len(bench.wire.published) == 1


@given(st.binary(max_size=60))
def test_nonsense_is_counted_and_nothing_else(payload):
    bench = Bench(ONE)
    bench.publisher.want(ONE, payload)
    bench.step()
    assert bench.publisher.counters.ignored == 1
    assert not bench.publisher.busy


def test_a_flood_of_strangers_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_UNSURE", 3)
    bench = Bench()
    for number in range(10):
        bench.publisher.want(f"a/b/{number}", want((0, 0)))
    assert bench.publisher.counters.ignored == 7


def test_a_refused_piece_is_counted_and_does_not_hold_up_the_others():
    bench = Bench(ONE)
    bench.publisher.want(ONE, want((0, 1)))
    bench.step(room=1)
    bench.wire.answer(Refused(bench.wire.published[0].token, "no", "mend"))
    for event in bench.wire.events():
        bench.publisher.take(event)
    bench.step()
    assert bench.publisher.counters.refused == 1
    assert sorted(bench.got()) == [0, 1]


def test_a_piece_that_is_missing_or_too_large_does_not_stay_in_the_queue():
    bench = Bench(ONE)
    lost = Allowed("e" * 64, 5, 5)
    bench.publisher.assign({ONE: lost, TWO: FILE})
    bench.publisher.want(ONE, want((0, 0), file=lost))
    bench.publisher.want(TWO, want((0, 5)))
    bench.step(largest=200)
    assert bench.publisher.counters.missing == 1
    assert not bench.publisher.busy
    assert "takes no piece" in bench.publisher.counters.strange


def test_after_a_lost_connection_nothing_is_held_to_be_under_way():
    bench = Bench(ONE)
    bench.publisher.want(ONE, want((0, LAST)))
    bench.step()
    bench.publisher.forget()
    assert bench.publisher.under_way == 0
    assert not bench.publisher.busy
