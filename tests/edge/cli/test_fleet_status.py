from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from edge.cli import fleet_status
from edge.cli.main import app
from edge.records import utc
from sync.fleet.advance import Advance
from sync.fleet.central import Central
from sync.fleet.database import Database
from sync.fleet.hearing import Word
from sync.fleet.order import Order
from sync.fleet.orders import Orders
from sync.fleet.plan import Plan
from sync.fleet.rollout_tables import rollouts
from tests.sync.fleet.depot import NOON, Depot, bundle, state, trial

CAPS, LIDS, RINGS, FAR = "a/b/caps", "a/b/lids", "a/b/rings", "c/d/far"
EVERYBODY = (CAPS, LIDS, RINGS, FAR)


class Fleet:
    """A fleet in its tables, an hour at a time."""

    def __init__(self, folder):
        self.url = f"sqlite:///{folder}/fleet.db"
        self.now = NOON
        self.database = Database(self.url)
        self.depot = Depot(folder / "repository", self.database, lambda: self.now)
        self.central = Central(self.database, lambda: utc(self.now))
        self.advance = Advance(self.database, self.depot.repository, lambda: self.now, utc)
        self.depot.add(bundle())

    def status(self, station, sync="up", **more):
        content = {"schema": "station-status/1", "station": station, "sync": sync, "line": "up"}
        text = json.dumps(content | more)
        self.central.heard({station: Word(text, text if sync == "up" else None)})

    def turn(self, **said):
        self.now += 1
        self.advance.turn({f"a/b/{name}": text for name, text in said.items()}, {})

    def word(self, station):
        return self.depot.assigned()[station]

    def look(self, *more, code=None):
        self.database.close()
        done = CliRunner().invoke(app, ["fleet", "status", "--database", self.url, *more])
        assert code is None or done.exit_code == code, done.output
        return done.stdout

    def json(self):
        return json.loads(self.look("--json"))

    def station(self, name):
        return next(one for one in self.json()["stations"] if one["station"] == name)


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    fleet = Fleet(tmp_path)
    monkeypatch.setattr(fleet_status, "time", SimpleNamespace(time=lambda: fleet.now))
    for name in EVERYBODY:
        fleet.status(name)
    fleet.depot.begin("r1", EVERYBODY, Plan(("*/*/*",)))
    fleet.turn()
    yield fleet
    fleet.database.close()


def test_nothing_is_known_yet(tmp_path):
    fleet = Fleet(tmp_path)
    assert "No station was ever heard" in fleet.look(code=0)


def test_who_runs_tries_and_fetches_what(fleet):
    caps, lids, rings = (fleet.word(name) for name in (CAPS, LIDS, RINGS))
    delivery = {"state": "downloading", "bytes": 25, "size": 100}
    fleet.turn(
        caps=state(CAPS, caps, candidate=trial(caps, "canary", share=0.25, parts=70, name="rings")),
        lids=state(LIDS, lids, running=lids.bundle.digest),
        rings=state(RINGS, rings, delivery=delivery),
    )
    text = fleet.look(code=0)
    assert "r1: running, wave 1 of 1; rings 1.1.0, canary; 1 of 4 there" in text
    assert "(1 active, 1 assigned, 1 canary, 1 downloading)" in text
    assert "  at 1 of them nothing that it decides was compared" in text
    rows = {line.split(" ")[0]: line for line in text.splitlines()}
    assert "25% of parts, 70 seen" in rows[CAPS]
    assert "download 25%" in rows[RINGS]
    assert "not heard of it yet" in rows[FAR]
    assert fleet.station(CAPS)["candidate"]["share"] == 0.25
    assert fleet.station(LIDS)["state"] == "active"


def test_where_nothing_was_compared_is_told(fleet):
    lids = fleet.word(LIDS)
    there = {"running": lids.bundle.digest}
    shown = {"parts": 310, "compared": 0}
    fleet.turn(lids=state(LIDS, lids, candidate=trial(lids, "canary", evidence=shown)))
    assert fleet.json()["rollouts"][0]["unjudged"] == 0  # it is not there yet
    fleet.turn(lids=state(LIDS, lids, last=trial(lids, "active", evidence=shown), **there))
    assert fleet.json()["rollouts"][0]["unjudged"] == 1
    shown = {"parts": 310, "compared": 300}
    fleet.turn(lids=state(LIDS, lids, last=trial(lids, "active", evidence=shown), **there))
    assert fleet.json()["rollouts"][0]["unjudged"] == 0
    assert "was compared" not in fleet.look(code=0)


def test_who_waits_for_labels_says_how_many_and_until_when(fleet):
    word = fleet.word(CAPS)
    waits = trial(
        word, "needs_calibration", name="rings", version="1.1.0",
        needed={"good": 0, "defect": 308}, until="2026-12-04T12:00:00.000Z",
        why="the pinned pictures were taken with another view",
    )  # fmt: skip
    fleet.turn(caps=state(CAPS, word, candidate=waits))
    text = fleet.look(code=0)
    assert "taken with another view; 0 good and 308 defect are missing, waits until 2026" in text
    assert fleet.station(CAPS)["waits_for_labels"] == [0, 308]
    assert fleet.station(CAPS)["waits_until"].startswith("2026-12-04")
    unsaid = waits | {"needed": None, "why": "nobody said that it was not trained on these"}
    fleet.turn(caps=state(CAPS, word, candidate=unsaid))
    text = fleet.look(code=0)
    assert "trained on these, waits until 2026" in text
    assert "push it again with --not-trained-on-station-pictures" in text


def test_the_reason_of_a_failure_is_told(fleet):
    word = fleet.word(CAPS)
    last = trial(word, "rolled_back", code="slower", why="3.4 times as slow")
    refused = [{"bundle": word.bundle.digest, "code": "slower", "why": "3.4 times as slow"}]
    fleet.turn(caps=state(CAPS, word, last=last, refused=refused))
    text = fleet.look(code=4)
    assert "r1: paused" in text
    assert "→ edge-inspect fleet resume r1, or fleet rollback r1" in text
    assert f"{CAPS}: rolled back: slower: 3.4 times as slow" in text
    assert fleet.station(CAPS)["code"] == "slower"
    assert fleet.station(CAPS)["refused"][0]["code"] == "slower"


def test_what_was_accepted_by_resuming_is_told(fleet):
    word = fleet.word(CAPS)
    escalated = {"candidate": 120, "other": 20}
    shown = {"parts": 310, "compared": 300, "escalated": escalated}
    fleet.turn(caps=state(CAPS, word, candidate=trial(word, "canary", evidence=shown)))
    assert "r1: paused" in fleet.look(code=4)
    assert fleet.json()["rollouts"][0]["resumed"] is None
    with fleet.database.transaction() as connection:
        order = Order("1", "resume", "ann", {"rollout": "r1", "reason": "known"})
        Orders(fleet.depot.repository, lambda name: b"").apply(connection, order)
    fleet.turn()
    text = fleet.look(code=0)
    assert "resumed by ann, 2026-11-20T" in text
    assert "counts no more (300 parts, 0 accepted wrongly, 100 more escalated" in text
    assert fleet.json()["rollouts"][0]["resumed"]["by"] == "ann"
    (caps,) = [one for one in fleet.json()["rollouts"][0]["members"] if one["station"] == CAPS]
    assert caps["accepted"]["escalations"] == 100


def test_expired_wrong_clock_and_certificate_have_names_of_their_own(fleet):
    for name, code in ((CAPS, "expired"), (LIDS, "wrong_clock")):
        refusal = {"code": code, "why": "because", "mend": "do this", "at": "x"}
        fleet.turn(**{name[4:]: state(name, refusal=refusal)})
    fleet.status(RINGS, certificate_until="2026-11-19T00:00:00.000Z")
    fleet.status(RINGS, sync="down")  # a last will knows nothing of certificates
    found = {one["station"]: one for one in fleet.json()["stations"]}
    assert [one["name"] for one in found[CAPS]["troubles"]] == ["expired"]
    assert [one["name"] for one in found[LIDS]["troubles"]] == ["wrong_clock"]
    assert [one["name"] for one in found[RINGS]["troubles"]] == ["certificate"]
    assert "cannot connect again" in found[RINGS]["troubles"][0]["what"]
    text = fleet.look(code=4)
    assert f"{CAPS}: expired: because" in text
    assert "→ do this" in text


def test_a_clock_that_is_not_synchronised_is_only_said(fleet):
    fleet.turn(caps=state(CAPS, clock_synced=False))
    assert f"{CAPS}: clock_not_synchronised: " in fleet.look(code=0)


def test_what_keeps_a_download_from_going_on_is_told(fleet):
    word = fleet.word(CAPS)
    delivery = {"state": "assigned", "bytes": 0, "size": 100, "code": "no_space", "why": "200, 7"}
    fleet.turn(caps=state(CAPS, word, delivery=delivery))
    text = fleet.look(code=4)
    assert f"{CAPS}: no_space: no room on the disk for the bundle: 200, 7" in text
    assert "df -h" in text
    fleet.turn(caps=state(CAPS, word, delivery=delivery | {"code": None, "why": None}))
    assert "no_space" not in fleet.look(code=0)


def test_a_candidate_that_waits_for_room_is_told(fleet):
    word = fleet.word(CAPS)
    waits = trial(word, "verified", code="no_space", why="[Errno 28]; it goes on by itself")
    fleet.turn(caps=state(CAPS, word, candidate=waits))
    text = fleet.look(code=4)
    assert f"{CAPS}: no_space: no room on the disk for the bundle: [Errno 28]; it goes on" in text
    assert "r1: running" in text
    fleet.turn(caps=state(CAPS, word, candidate=trial(word, "shadow")))
    assert "no_space" not in fleet.look(code=0)


def test_what_decides_instead_of_another_since_line_db_was_lost_is_told(fleet):
    word = fleet.word(CAPS)
    lost = {"bundle": word.bundle.digest, "name": "rings", "version": "1.1.0"}
    fleet.turn(caps=state(CAPS, word, lost=lost))
    text = fleet.look(code=4)
    assert "rings 1, as configured, decides instead of rings 1.1.0" in text
    assert "push that one again" in text
    again = trial(word, "shadow", name="rings", version="1.1.0")
    fleet.turn(caps=state(CAPS, word, lost=lost, candidate=again))
    assert "whole probation there again" in fleet.look(code=4)
    fleet.turn(caps=state(CAPS, word, lost=lost, running=word.bundle.digest))
    assert "lost" not in fleet.look(code=0)


def test_documents_that_nobody_renews_are_told_without_any_station(fleet):
    assert fleet.json()["troubles"] == []
    fleet.now += 8 * 86400
    text = fleet.look(code=4)
    assert "expired: what the fleet signs by itself ended on 2026-11-27" in text
    assert "fleet serve" in text
    fleet.turn()
    assert fleet.json()["troubles"] == []
    fleet.now += 340 * 86400
    fleet.turn()
    assert {one["name"] for one in fleet.json()["troubles"]} == {"ends_soon"}
    fleet.now += 20 * 86400
    fleet.turn()
    text = fleet.look(code=4)
    assert "expired: the root" in text
    assert "keys sign --renew" in text


def test_since_when_a_station_is_away(fleet):
    fleet.now += 3600
    fleet.status(FAR, sync="down")
    since = utc(fleet.now)
    fleet.now += 3600
    fleet.status(FAR, sync="down")  # a broker that repeats it after a restart
    assert fleet.station(FAR)["offline_since"] == since
    assert f"offline since {since}" in fleet.look()


def test_only_some_stations(fleet):
    text = fleet.look("--station", "a/b/*")
    assert CAPS in text
    assert FAR not in text
    fleet.look("--station", "nonsense", code=2)


def test_a_roll_out_of_a_later_version_does_not_hide_the_others(fleet):
    with fleet.database.transaction() as connection:
        row = {"id": "r9", "digest": "9" * 64, "state": "running", "plan": "{}", "wave": 0}
        connection.execute(sa.insert(rollouts), [row | {"by": "b", "at": "z", "changed_at": "z"}])
    assert "r1: running" in fleet.look(code=0)


def test_watching_prints_what_changes(capsys):
    texts = iter(["one", "one", "two"])

    def text():
        try:
            return next(texts)
        except StopIteration:
            raise KeyboardInterrupt from None

    fleet_status.show_again(text, terminal=False, pause=lambda seconds: None)
    assert capsys.readouterr().out == "one\ntwo\n"


def over(fleet, name, at, seed):
    """A roll-out that every station has ended with."""
    fleet.depot.add(bundle(seed=seed))
    fleet.depot.begin(name, EVERYBODY, Plan(("*/*/*",)), at=at)
    fleet.turn()
    digest = fleet.depot.file.digest
    words = fleet.depot.assigned()
    fleet.now += 1
    fleet.advance.turn({one: state(one, words[one], running=digest) for one in EVERYBODY}, {})


def test_what_is_over_and_has_no_station_any_more_is_told_only_if_asked_for(fleet):
    over(fleet, "r2", "2026-11-20T13:00:00.000Z", 2)
    over(fleet, "r3", "2026-11-20T14:00:00.000Z", 3)
    assert [one["id"] for one in fleet.json()["rollouts"]] == ["r3"]
    every = json.loads(fleet.look("--json", "--all"))["rollouts"]
    assert [one["id"] for one in every] == ["r3", "r2", "r1"]
    assert "r2: done" not in fleet.look(code=0)


def test_a_station_that_came_later_is_in_no_roll_out_and_that_is_said(fleet):
    fleet.status("a/b/late")
    text = fleet.look(code=0)
    assert "a/b/late: not in r1: it was first heard after that was pushed" in text
    words = f"push {bundle().digest[:12]} --to '*/*/*' --by NAME --reason WHY"
    assert f"→ edge-inspect fleet {words}" in text
    assert fleet.station("a/b/late")["missed"] == "r1"
    assert fleet.station(CAPS)["missed"] is None
    fleet.depot.set("r1", state="rolled_back")
    assert "first heard after" not in fleet.look()
