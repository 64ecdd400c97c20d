"""One word of sync and the line; what the fleet reads of it."""

import json
from dataclasses import replace

from edge.rollout.course import Known
from edge.rollout.shown import shown
from edge.rollout.standing import NOTHING, Refusal, Standing
from sync.fleet.said import read
from sync.model_state import MOST_REFUSED, model_state
from sync.reception import desired, progress, refusal
from sync.topics import Station
from tests.sync.parcels import Parcels, content

NAMED = {"station": "plant-a/line-3/caps", "software": "1"}
HASH = "ab" * 32


def said(tmp_path, line):
    parcels = Parcels(tmp_path / "inbox")
    parcels.assign(content(5000))
    return model_state(NAMED, line, parcels.delivery.state(), True)


def test_the_fleet_reads_what_the_station_says(tmp_path):
    running = {"bundle": HASH, "name": "caps", "version": "1.0.0", "trial": 7}
    refused = [{"bundle": HASH, "code": "died", "why": "it died", "at": "then", "serial": 3}]
    rollout = {"running": running, "candidate": None, "last": None, "refused": refused}
    payload = json.dumps(said(tmp_path, {"rollout": rollout, "view": HASH}))
    found = read(payload, "plant-a/line-3/caps")
    assert found.running.bundle == HASH
    assert found.running.trial == 7
    assert found.refused[0].code == "died"
    assert found.desired.serial == 1
    assert (found.delivery.state, found.delivery.size) == ("downloading", 5000)
    assert found.clock_synced is True


def test_a_line_that_said_nothing_yet_leaves_its_part_open(tmp_path):
    for line in ({}, {"rollout": None}, {"rollout": []}, {"rollout": {"refused": 3}}):
        content = said(tmp_path, line)
        assert content["running"] is content["candidate"] is content["view"] is None
        assert content["refused"] == []


def test_only_the_newest_of_what_was_refused_is_said(tmp_path):
    before = Standing(NOTHING, NOTHING)
    names = [f"{number:02d}" for number in range(100)]
    refused = {name: Refusal("caps", name, "died", "it died", 3, 0.0) for name in names}
    line = {"rollout": shown(replace(before, refused=refused), Known(), {}, 0.0)}
    found = said(tmp_path, line)["refused"]
    assert [one["version"] for one in found] == names[: -1 - MOST_REFUSED : -1]


def test_without_a_root_of_trust(tmp_path):
    parcels = Parcels(tmp_path / "inbox", trust=False)
    assert parcels.delivery.state() == {
        "desired": None,
        "refusal": None,
        "delivery": progress(None),
    }
    assert progress(None)["state"] == "no_trust_root"


def test_what_is_desired_and_refused(tmp_path):
    parcels = Parcels(tmp_path / "inbox")
    word = parcels.assign(content(5000), action="pause")
    found = desired(parcels.reception.entry)
    assert found["digest"] == word.bundle.digest
    assert found["action"] == "pause"
    assert refusal(parcels.reception.entry) is None
    assert Station.parse(str(NAMED["station"])).model_state.endswith("model/state")
