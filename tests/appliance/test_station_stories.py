"""What becomes of a station to which something has happened, and that everybody is told why."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.appliance.world import CAMERA, HERE, SIZE, until, world
from tests.faults.smallfs import MEGABYTE, small_fs
from tests.simulators.pki import Authority
from tests.simulators.spy import Spy

pytestmark = [pytest.mark.broker, pytest.mark.slow]
SERVICES = ("serve", "line", "sync")
YEAR = 365.25
TARGETS = {"max_escape": 0.2, "max_overkill": 0.2, "confidence": 0.8}


def test_a_wrong_clock_takes_nothing_new_until_it_is_right(tmp_path: Path) -> None:
    with world(tmp_path) as plant:
        plant.begin(*SERVICES)
        plant.runs("1.2.3")
        before = "1.2.3"
        for off, version in ((10 * YEAR, "1.3.0"), (-YEAR, "1.4.0")):
            plant.station_days(off, synced=False)
            plant.push(version)
            plant.refuses("wrong_clock")
            text = plant.told("wrong_clock")
            assert f"{HERE}: wrong_clock: " in text
            assert "timedatectl" in text
            assert "wrong_clock" in plant.command("status", well=(4,))
            assert (plant.running, plant.models["candidate"]) == (before, None)
            plant.station_days(0.0, synced=True)
            plant.runs(version)
            plant.told("active")
            assert plant.refusal is None
            before = version
        # a clock that nobody vouches for, and that is right, keeps nothing away
        plant.station_days(0.0, synced=False)
        plant.push("1.5.0")
        plant.runs("1.5.0")
        assert "clock_not_synchronised" in plant.told("clock_not_synchronised")


def test_a_clock_that_was_synchronised_to_a_wrong_time(tmp_path: Path) -> None:
    with world(tmp_path) as plant:
        plant.begin("serve", "sync")
        plant.station_days(YEAR, synced=True)
        plant.push("1.3.0")
        plant.refuses("expired")
        plant.end("sync")
        plant.begin("sync")  # the time is remembered at a start, and hourly
        plant.refuses("expired")
        plant.station_days(0.0, synced=True)
        plant.refuses("wrong_clock")
        assert "time.json" in plant.told("wrong_clock")
        plant.end("sync")
        (plant.state_dir / "trust" / "time.json").unlink()
        plant.begin("sync")
        plant.refuses(None)
        until(lambda: plant.delivery["state"] == "verified")


def test_off_for_a_month_it_skips_to_the_newest(tmp_path: Path) -> None:
    with world(tmp_path) as plant:
        plant.begin(*SERVICES)
        plant.push("1.3.0")
        plant.runs("1.3.0")
        plant.told("active")
        plant.end("line", "sync")
        between = []
        for version in ("1.4.0", "1.5.0"):
            plant.days(5)
            between.append(plant.push(version))
        where = ("--repository", str(plant.repository), "--database", plant.database)
        who = ("--by", "k.ito", "--reason", "a month of holidays")
        plant.ordered("keys", "rotate", "root-1", *who, *where)
        plant.end("serve")
        plant.days(15)  # the fleet's machine is off, too: everything expires
        plant.begin("serve")
        newest = plant.push("1.6.0")
        for _ in range(3):
            before = plant.stamp()
            plant.days(2)
            until(lambda was=before: plant.stamp() > was, "the renewal")  # type: ignore[misc]
        assert plant.standing().offline_since
        spy = Spy(plant.broker.url)
        plant.begin("line", "sync")
        plant.runs("1.6.0")
        text = plant.told("active")
        spy.step()
        spy.close()
        entry = json.loads((plant.state_dir / "inbox" / "assignment.json").read_bytes())
        assert entry["assignment"]["rollout"] == newest
        assert spy.heard == {entry["assignment"]["bundle"]["sha256"]}
        tried = {one["version"] for one in plant.records("rollout/1")}
        assert tried == {"1.3.0", "1.6.0"}
        states = plant.rollouts()
        assert [states[one] for one in between] == [["superseded"]] * 2
        assert f"{newest}: done" in text
        trusted = (plant.state_dir / "trust" / "trust.json").read_text()
        assert json.loads(trusted.partition("\n")[2])["root_version"] == 2


def test_without_a_fleet_for_weeks_its_word_expires_and_nothing_else(tmp_path: Path) -> None:
    with world(tmp_path) as plant:
        plant.begin(*SERVICES)
        plant.push("1.3.0")
        plant.runs("1.3.0")
        plant.told("active")
        plant.end("serve")
        plant.days(21)
        plant.refuses("expired")
        text = plant.command("status", well=(4,))
        assert "expired" in text
        assert "fleet serve" in text
        assert plant.running == "1.3.0"
        text = plant.ordered("status", "--database", plant.database)
        assert text.startswith("expired: what the fleet signs by itself ended on ")
        plant.end("sync")
        plant.begin("serve")
        assert f"{HERE}: expired: " in plant.told("expired")
        plant.begin("sync")
        plant.refuses(None)
        plant.push("1.4.0")
        plant.runs("1.4.0")
        plant.told("active")
        assert "expired" not in plant.names()


def test_a_certificate_that_ends_was_announced_and_has_a_name_of_its_own(tmp_path: Path) -> None:
    pki = Authority(tmp_path / "pki")
    server, ours = pki.issue("broker", ("127.0.0.1",)), pki.issue(HERE, end=20)
    central = pki.issue("central")
    (tmp_path / "own.pem").write_bytes(ours.certificate.read_bytes())
    (tmp_path / "own.key").write_bytes(ours.key.read_bytes())
    files = {"ca_file": str(pki.file), "certificate_file": "own.pem", "key_file": "own.key"}
    with world(tmp_path, authority=pki, server=server, sync=files) as plant:
        plant.login = [
            *("--ca-file", str(pki.file)),
            *("--certificate-file", str(central.certificate), "--key-file", str(central.key)),
        ]
        plant.begin(*SERVICES)
        text = plant.told("certificate")
        assert f"its certificate ends on {ours.end}" in text
        plant.days(21)
        plant.broker.restart()
        until(lambda: not plant.status("sync")["connected"], "the connection to end")
        until(lambda: ours.end in plant.command("status", well=(4,)), "sync to say so")
        assert "our certificate" in plant.command("status", well=(4,))
        text = plant.ordered("status", "--database", plant.database)
        assert f"{HERE}: certificate: its certificate ended on {ours.end}" in text
        assert {"certificate"} == {one.name for one in plant.standing().troubles}
        assert plant.running == "1.2.3"
        renewed = pki.issue(HERE, end=400)
        (tmp_path / "own.key").write_bytes(renewed.key.read_bytes())
        (tmp_path / "own.pem").write_bytes(renewed.certificate.read_bytes())
        until(lambda: plant.status("sync")["connected"], "a new connection")
        until(lambda: "certificate" not in plant.names(), "the fleet to hear")
        plant.push("1.3.0")
        plant.runs("1.3.0")


def labelled(folder: Path, width: int, height: int) -> Path:
    """Bright and dark parts, 15 of each, as a camera of this size takes them."""
    draws = np.random.default_rng(7)
    for kind, level in (("good", 255), ("defect/dark", 0)):
        (folder / kind).mkdir(parents=True)
        for number in range(15):
            near = draws.integers(0, 20, (height, width, 3)).astype(np.int16)
            picture = np.abs(level - near).astype(np.uint8)
            assert cv2.imwrite(str(folder / kind / f"{number}.png"), picture)
    return folder


APPLY = ("--apply", "--by", "anna", "--not-trained-on-these")


def test_another_camera_waits_for_pictures_of_it(tmp_path: Path) -> None:
    decision = {"automation": "partial", **TARGETS}
    with world(tmp_path, decision=decision) as plant:
        plant.command("calibrate", str(labelled(tmp_path / "old", **SIZE)), *APPLY)
        plant.begin(*SERVICES)
        until(lambda: plant.status().get("degree") == "partial", "its cuts")
        plant.end("line")
        larger = {"width": 200, "height": 150}
        plant.configure(camera={**CAMERA, **larger})
        plant.begin("line")
        plant.push("1.3.0")
        plant.waits()
        candidate = plant.models["candidate"]
        for text in (plant.told("needs_calibration"), plant.command("status", well=(4,))):
            assert "another view" in text
            assert "width was 160, is 200" in text
            assert candidate["until"][:16] in text
        assert plant.running == "1.2.3"
        plant.command("calibrate", str(labelled(tmp_path / "new", **larger)), *APPLY)
        plant.runs("1.3.0")
        plant.told("active")
        assert plant.models["running"]["calibration"]


def scores(path: Path) -> Path:
    """A calibration by scores alone: nothing stays for other models."""
    rows = [(f"0.{number:02d}", "good") for number in range(1, 21)]
    rows += [(f"0.{number:02d}", "defect") for number in range(80, 99)]
    with open(path, "w", newline="") as stream:
        csv.writer(stream).writerows([("score", "label"), *rows])
    return path


def test_without_labels_it_says_how_many_and_until_when_and_then_gives_up(tmp_path: Path) -> None:
    decision = {"automation": "partial", **TARGETS}
    with world(tmp_path, decision=decision) as plant:
        file = scores(tmp_path / "scores.csv")
        plant.command("calibrate", "--scores", str(file), *APPLY)
        plant.begin(*SERVICES)
        plant.push("1.3.0", "--wait-calibration-days", "3")
        plant.waits()
        candidate = plant.models["candidate"]
        needed, until_then = candidate["needed"], candidate["until"]
        assert min(needed.values()) > 0
        text = plant.told("needs_calibration")
        missing = f"{needed['good']} good and {needed['defect']} defect are missing"
        assert f"{missing}, waits until {until_then}" in text
        said = plant.command("status", well=(0, 4))
        words = f"{needed['good']} good and {needed['defect']} defective labelled parts are missing"
        assert f"{words}, waited for until {until_then[:16]}" in said
        plant.end("line")  # while it runs, a clock that is set is not time that passes
        plant.days(3.1)
        plant.begin("line")
        text = plant.told("rejected")
        assert f"{HERE}: rejected: not_calibrated: " in text
        assert plant.running == "1.2.3"
        last = plant.models["last"]
        assert (last["state"], last["code"]) == ("rejected", "not_calibrated")


def test_a_full_disk_waits_for_room(tmp_path: Path) -> None:
    with small_fs(tmp_path / "fs", 64 * MEGABYTE) as fs:
        state = {"state_dir": str(fs.inside / "state"), "status_dir": str(tmp_path / "status")}
        with world(tmp_path, **state) as plant:
            plant.inside = fs.command
            plant.state_dir = fs.folder / "state"
            plant.begin(*SERVICES)
            plant.runs("1.2.3")
            fs.fill(leave=6 * MEGABYTE)
            plant.push("1.3.0", padding=3 * MEGABYTE)
            until(lambda: plant.delivery.get("code") == "no_space", "no_space")
            text = plant.told("no_space")
            assert f"{HERE}: no_space: " in text
            assert "no room on the disk" in plant.command("status", well=(4,))
            assert plant.running == "1.2.3"
            (fs.folder / "filler").unlink()
            plant.runs("1.3.0")
            plant.told("active")
            assert "no_space" not in plant.names()


@pytest.mark.postgres
def test_of_two_serves_one_is_killed_in_the_middle(tmp_path: Path, postgres) -> None:  # type: ignore[no-untyped-def]
    size = 6 * MEGABYTE
    slow = {"models_bytes_per_s": "2MB"}
    with world(tmp_path, database=postgres.create(), sync=slow) as plant:
        plant.begin("serve")
        until(
            lambda: plant.standing() is None and "fleet.started" in (tmp_path / "log").read_text()
        )
        plant.begin("serve2", "line", "sync")
        plant.push("1.3.0", padding=size)
        until(lambda: plant.delivery.get("bytes", 0) > size / 5, "some of it")
        plant.kill("serve")
        assert plant.delivery["state"] == "downloading"
        plant.runs("1.3.0")
        plant.told("active")
