import json

import pytest

from sync.fleet import herald as module
from sync.fleet.database import Away
from sync.fleet.genuine import NONE
from sync.fleet.herald import AGAIN_S, LEAVE_TO_OTHERS_S, MOST_UNDER_WAY, SETTLE_S, Herald
from sync.pack import PackError, pack, unpack
from sync.refusals import TrustRefused
from sync.topics import Station
from sync.transport import Refused
from tests.simulators.loopback import Loopback

ONE, TWO = "a/b/one", "a/b/two"
AT = "2026-11-20T12:00:00.000Z"


def made(version):
    return pack({"timestamp.json": json.dumps({"signed": {"version": version}})}, AT)


def said(station, payload):
    try:
        return json.loads(unpack(payload).files["timestamp.json"])["signed"]["version"]
    except TrustRefused:
        return NONE


class Bench:
    def __init__(self):
        self.wire = Loopback()
        self.wire.connect()
        self.version, self.now = 5, 0.0
        self.herald = Herald(self.wire, self.make, said)
        self.herald.connected(self.now)

    def make(self, station):
        if isinstance(self.version, Exception) and station == ONE:
            raise self.version
        return made(5 if isinstance(self.version, Exception) else self.version)

    def know(self, mine=(), **stamps):
        named = {f"a/b/{name}": stamp for name, stamp in stamps.items()}
        self.herald.know(named, frozenset(mine), self.now)

    def step(self, seconds=0.0, room=20):
        self.now += seconds
        return self.herald.step(self.now, room, True)

    def answer(self):
        self.wire.acknowledge_all()
        for event in self.wire.events():
            self.herald.take(event, self.now)

    @property
    def published(self):
        return [one.topic.split("/")[4] for one in self.wire.published]


@pytest.fixture
def bench():
    return Bench()


def test_what_this_process_has_signed_goes_out_as_soon_as_the_broker_has_spoken(bench):
    bench.know(mine=[ONE], one=5)
    bench.step()
    assert not bench.published
    bench.step(SETTLE_S)
    assert bench.published == ["one"]
    assert bench.wire.published[0].retain
    bench.answer()
    bench.step(10 * AGAIN_S)
    assert bench.published == ["one"]
    assert bench.herald.taken() == {ONE: 5}
    assert bench.herald.taken() == {}
    assert bench.herald.silent


def test_what_the_broker_holds_already_is_left_alone(bench):
    bench.herald.heard(ONE, made(5), bench.now)
    bench.know(one=5, two=4)
    bench.step(SETTLE_S + LEAVE_TO_OTHERS_S)
    assert bench.published == ["two"]
    assert bench.herald.taken() == {ONE: 5}


def test_what_another_process_signed_is_left_to_it_for_a_while(bench):
    bench.know(one=5)
    bench.step(LEAVE_TO_OTHERS_S - 0.1)
    assert not bench.published
    bench.herald.heard(ONE, made(5), bench.now)
    bench.step(1.0)
    assert not bench.published


def test_an_older_pack_is_replaced_and_so_is_nonsense_and_one_from_the_future(bench):
    for name, payload in (("one", made(4)), ("two", b"nonsense"), ("six", made(99))):
        bench.herald.heard(f"a/b/{name}", payload, bench.now)
    bench.know(one=5, two=5, six=5)
    bench.step(LEAVE_TO_OTHERS_S)
    assert sorted(bench.published) == ["one", "six", "two"]
    assert bench.herald.foreign == 1


def test_a_pack_that_was_deleted_comes_back(bench):
    bench.know(mine=[ONE], one=5)
    bench.step(SETTLE_S)
    bench.answer()
    bench.herald.heard(ONE, b"", bench.now)
    bench.step(LEAVE_TO_OTHERS_S)
    assert bench.published == ["one", "one"]


def test_a_new_connection_is_asked_anew(bench):
    bench.know(mine=[ONE], one=5)
    bench.step(SETTLE_S)
    bench.answer()
    bench.herald.lost()
    bench.herald.connected(bench.now)
    bench.know(one=5)
    bench.step(LEAVE_TO_OTHERS_S)
    assert bench.published == ["one", "one"]


def test_few_are_under_way(bench):
    names = {f"s{number}": 5 for number in range(20)}
    bench.know(mine=[f"a/b/{name}" for name in names], **names)
    bench.step(SETTLE_S)
    assert bench.herald.under_way == MOST_UNDER_WAY
    bench.answer()
    bench.step(room=1)
    assert bench.herald.under_way == 1


def test_a_refusal_is_a_trouble_and_tried_again_later(bench):
    bench.know(mine=[ONE], one=5)
    bench.step(SETTLE_S)
    bench.wire.answer(Refused(bench.wire.published[0].token, "not authorised", "mend"))
    for event in bench.wire.events():
        assert bench.herald.take(event, bench.now)
    assert "fleet acl" in bench.herald.trouble.mend
    bench.step(AGAIN_S - 1)
    assert len(bench.published) == 1
    bench.step(1.0)
    bench.answer()
    assert len(bench.published) == 2
    assert bench.herald.trouble is None


def test_who_is_assigned_nothing_any_more_is_forgotten(bench):
    bench.know(mine=[ONE, TWO], one=5, two=5)
    bench.know(two=5)
    bench.step(SETTLE_S)
    assert bench.published == ["two"]


def test_a_topic_is_the_stations_own(bench):
    bench.know(mine=[ONE], one=5)
    bench.step(SETTLE_S)
    assert bench.wire.published[0].topic == Station.parse(ONE).model_assignment


@pytest.mark.parametrize("error", [PackError("too much"), ValueError("whatever")])
def test_a_pack_that_cannot_be_made_holds_up_no_other(bench, error):
    bench.version = error
    bench.know(mine=[ONE, TWO], one=5, two=5)
    bench.step(SETTLE_S)
    assert bench.published == ["two"]
    assert ONE in bench.herald.trouble.what
    bench.version = 5
    bench.step(AGAIN_S)
    assert bench.published == ["two", "one"]


def test_a_database_that_is_away_is_asked_again(bench):
    bench.version = Away("away", "wait")
    bench.know(mine=[ONE], one=5)
    with pytest.raises(Away):
        bench.step(SETTLE_S)
    bench.version = 5
    bench.step(1.0)
    assert bench.published == ["one"]


def test_a_pack_that_the_broker_does_not_take_is_not_sent(bench):
    """It would end the connection, again and again."""
    bench.know(mine=[ONE], one=5)
    bench.now += SETTLE_S
    bench.herald.step(bench.now, 20, True, largest=50)
    assert not bench.published
    assert "takes no pack" in bench.herald.trouble.what


def test_a_pack_of_our_own_that_is_none_is_not_published_without_end(bench):
    bench.herald._version = lambda station, payload: NONE
    bench.know(mine=[ONE], one=5)
    bench.step(SETTLE_S)
    for _ in range(5):
        bench.answer()
        bench.step(1.0)
    assert bench.published == ["one"]


def test_packs_of_stations_that_somebody_makes_up_are_not_remembered_without_end(
    bench, monkeypatch
):
    monkeypatch.setattr(module, "MOST_STRANGERS", 2)
    for number in range(9):
        bench.herald.heard(f"x/y/{number}", made(5), bench.now)
    assert len(bench.herald._held) == 2
    bench.know(one=5)
    bench.herald.heard(ONE, made(5), bench.now)
    assert bench.herald.silent
