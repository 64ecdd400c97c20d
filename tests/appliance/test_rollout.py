"""A model comes and goes on a real line: by command, in shadow, calibrated, by steps, for good."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.asking import ask_line
from edge.rollout.standing import Place, Standing, remembered
from edge.status import of_service
from edge.store.archive import Archive
from inference import bundle
from inference.archive import as_zip
from inference.bundle import Bundle
from sync.assignment import Action, Assignment, BundleFile, Limits
from sync.inbox import Entry, Inbox
from tests.appliance.station import config_of, rows, start, station
from tests.inference import bundles
from tests.inference.bundles import until
from tests.simulators.poisons import bundle as poisoned
from tests.simulators.tflite import bright_is_good

CAMERA = {"source": "synthetic", "seed": 3, "width": 160, "height": 120, "parts_per_second": 100}
TARGETS = {"max_escape": 0.2, "max_overkill": 0.2, "confidence": 0.8}
PROBATION = {"min_parts": 5, "trial_parts": 40, "shadow_share": 1.0}
GOOD, DEFECT = 255, 0


def better(folder: Path, version: str = "1.3.0") -> Bundle:
    """The same model under another version."""
    manifest = bundles.manifest(version=version)
    return bundle.write(folder / f"bright-{version}", manifest, bright_is_good("int8"))


def labelled(folder: Path) -> Path:
    """Bright and dark parts, 15 of each, each another picture."""
    draws = np.random.default_rng(7)
    for kind, level in (("good", GOOD), ("defect/dark", DEFECT)):
        (folder / kind).mkdir(parents=True)
        for number in range(15):
            near = draws.integers(0, 20, (120, 160, 3)).astype(np.int16)
            picture = np.abs(level - near).astype(np.uint8)
            assert cv2.imwrite(str(folder / kind / f"{number}.png"), picture)
    return folder


def a_station(folder: Path, **more: Any) -> Path:
    """A station whose model is about to be replaced."""
    decision = {"automation": "partial", **TARGETS}
    camera = more.pop("camera", CAMERA)
    return station(folder, camera, **{"decision": decision, "rollout": PROBATION, **more})


def calibrate(settings: Path, pictures: Path) -> None:
    """Cuts from labelled pictures, applied; the pictures stay pinned."""
    words = ("calibrate", str(pictures), "--apply", "--by", "anna", "--not-trained-on-these")
    with start(settings, *words) as command:
        said, _ = command.communicate(timeout=120)
    assert command.returncode == 0, said


@contextmanager
def line(settings: Path) -> Iterator[subprocess.Popen[str]]:
    """The running line; at the end it has drained in good order, unless it was killed."""
    with start(settings, "run") as process:
        try:
            until(lambda: of_service(config_of(settings), "line").content.get("pid") == process.pid)
            yield process
        finally:
            process.terminate()
        assert process.wait(60) in (0, -signal.SIGKILL)


def models(settings: Path) -> dict[str, Any]:
    """What the status says of models; empty before the first word."""
    found = of_service(config_of(settings), "line").content.get("rollout")
    return found if isinstance(found, dict) else {}


def install(settings: Path, made: Bundle, **more: object) -> None:
    """By a person, on the running line."""
    arguments = {
        "source": str(made.root),
        "digest": made.digest,
        "name": made.name,
        "version": made.version,
        "reason": "a test",
        **more,
    }
    answer = ask_line(config_of(settings), "model_install", arguments, "anna")
    assert answer is not None
    assert answer["ok"], answer


def records(settings: Path, schema: str) -> list[dict[str, Any]]:
    """All of one kind, in order."""
    made = [json.loads(row.body) for row in rows(settings)]
    return [record for record in made if record["schema"] == schema]


def reached(settings: Path, *states: str) -> Callable[[], bool]:
    """Whether the newest record says one of these states."""

    def look() -> bool:
        try:
            told = records(settings, "rollout/1")
        except OSError:
            return False
        return bool(told) and told[-1]["to"] in states

    return look


def remembers(settings: Path) -> Standing:
    """What a start would find."""
    with Archive(config_of(settings).state_dir / "line.db") as archive:
        factory = bundle.load(settings.parent / "bright")
        place = Place("factory", factory.digest, factory.name, factory.version)
        return remembered(archive.state, place)


@pytest.mark.slow
def test_from_a_command_to_being_active_with_its_own_calibration(tmp_path: Path) -> None:
    settings = a_station(tmp_path)
    calibrate(settings, labelled(tmp_path / "pictures"))
    made = better(tmp_path)
    with line(settings):
        install(settings, made, strategy="canary", steps=[50, 100], not_trained_on_yours=True)
        until(lambda: models(settings)["running"]["version"] == "1.3.0", seconds=90)
        until(lambda: models(settings)["running"]["trial"] is None, seconds=60)
    told = records(settings, "rollout/1")
    assert [record["to"] for record in told] == [
        "verified",
        "proved",
        "shadow",
        "shadow",
        "canary",
        "canary",
        "active",
        "active",
    ]
    assert {record["by"] for record in told} == {"anna", None}
    own = told[-1]["calibration"]
    decided = [record for record in records(settings, "inspection/1") if record["model"]]
    old = {record["calibration"] for record in decided if record["model"]["version"] == "1.2.3"}
    assert len(old) == 1
    for record in decided:
        new = record["model"]["bundle"] == made.digest
        assert record["calibration"] == own if new else record["calibration"] in old
    shared = [record for record in decided if "canary" in record["tags"]]
    assert {record["tags"]["canary"] for record in shared} == {"0.5", "1"}
    # another start finds it active
    with line(settings):
        until(lambda: models(settings)["running"]["version"] == "1.3.0")
        assert models(settings)["previous"]["version"] == "1.2.3"


@pytest.mark.slow
def test_killed_in_every_state_there_is_a_model_and_it_goes_on(tmp_path: Path) -> None:
    settings = a_station(tmp_path, rollout={**PROBATION, "trial_parts": 400})
    made = better(tmp_path)
    with line(settings) as process:
        install(settings, made, strategy="canary", steps=[50, 100])
        until(reached(settings, "verified"))
        process.kill()
    for states in (("proved", "shadow"), ("shadow", "canary"), ("canary",), ("active",)):
        with line(settings) as process:
            until(reached(settings, *states, "active"), seconds=60)
            process.kill()
        before = remembers(settings)
        assert before.active.digest in (made.digest, bundle.load(tmp_path / "bright").digest)
    with line(settings):
        until(lambda: models(settings)["running"]["version"] == "1.3.0", seconds=60)
        until(lambda: models(settings)["running"]["trial"] is None, seconds=60)
    assert [one["epoch"] for one in records(settings, "rollout/1")].count(None) == 0
    assert len({record["epoch"] for record in records(settings, "inspection/1")}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["crash_on_frame", "hang_on_frame"])
def test_a_model_that_turns_bad_is_gone_by_itself_and_not_tried_again(
    tmp_path: Path, kind: str
) -> None:
    settings = a_station(tmp_path)
    made = poisoned(tmp_path / "poison", kind, frame=60)  # type: ignore[arg-type]
    with line(settings):
        install(settings, made, strategy="blue-green")
        until(reached(settings, "rejected", "rolled_back"), seconds=90)
        until(lambda: bool(models(settings)["refused"]))
        until(lambda: models(settings)["running"]["version"] == "1.2.3", seconds=30)
        refused = models(settings)["refused"][0]
        assert (refused["bundle"], bool(refused["why"])) == (made.digest, True)
        causes = of_service(config_of(settings), "line").content["causes"]
        assert any("poison" in str(cause) or made.name in str(cause) for cause in causes)
        arguments = {"source": str(made.root), "digest": made.digest, "name": made.name}
        arguments |= {"version": made.version, "reason": "once more"}
        answer = ask_line(config_of(settings), "model_install", arguments, "anna")
        assert answer is not None
        assert not answer["ok"]
    accepted = [
        record
        for record in records(settings, "inspection/1")
        if record["decision"] == "accept" and (record["model"] or {}).get("bundle") == made.digest
    ]
    assert accepted == []


@pytest.mark.slow
def test_a_slot_that_was_lost_falls_back_to_what_is_there(tmp_path: Path) -> None:
    settings = a_station(tmp_path)
    with line(settings):
        install(settings, better(tmp_path), strategy="blue-green")
        until(lambda: models(settings)["running"]["version"] == "1.3.0", seconds=60)
    shutil.rmtree(config_of(settings).state_dir / "slots")
    with line(settings):
        until(lambda: models(settings)["running"]["version"] == "1.2.3")
        until(reached(settings, "rolled_back"))
    assert records(settings, "rollout/1")[-1]["code"] == "unusable"


def assign(settings: Path, made: Bundle, serial: int, action: Action) -> None:
    """As sync leaves the fleet's word, with a file that is whole."""
    content = as_zip(made)
    sha256 = hashlib.sha256(content).hexdigest()
    size = len(content)
    named = made.name, made.version, made.digest, f"bundles/{made.name}.zip"
    file = BundleFile(*named, sha256, size, size, (sha256,))
    config = config_of(settings)
    said = Assignment(
        station=config.station.path,
        serial=serial,
        rollout=f"r{serial}",
        issued_at="2026-01-01T00:00:00Z",
        by="k.ito",
        action=action,
        bundle=file,
        strategy="blue-green",
        limits=Limits(min_parts=5),
    )
    inbox = Inbox(config.state_dir / "inbox")
    inbox.write(Entry(said, "2026-01-01T00:00:00Z", "assigned"))
    inbox.file(file).write_bytes(content)
    inbox.write(Entry(said, "2026-01-01T00:00:00Z", "verified", bytes=size))


@pytest.mark.slow
def test_by_the_fleet_s_word_and_back_by_it(tmp_path: Path) -> None:
    settings = a_station(tmp_path)
    made = better(tmp_path)
    with line(settings):
        assign(settings, made, 1, "run")
        until(lambda: models(settings)["running"]["version"] == "1.3.0", seconds=60)
        assign(settings, made, 2, "rollback")
        until(lambda: models(settings)["running"]["version"] == "1.2.3", seconds=30)
        assign(settings, made, 3, "run")
        until(lambda: models(settings)["last"]["code"] == "rolled_back_before")
    told = records(settings, "rollout/1")
    assert [record["rollout"] for record in told] == ["r1"] * (len(told) - 1) + ["r3"]
    assert (told[-2]["event"], told[-2]["code"], told[-2]["by"]) == ("rollback", "ordered", "k.ito")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["damaged", "deleted"])
def test_what_ran_before_line_db_was_lost_proves_itself_again(tmp_path: Path, how: str) -> None:
    settings = a_station(tmp_path)
    made, path = better(tmp_path), config_of(settings).state_dir / "line.db"
    with line(settings):
        assign(settings, made, 1, "run")
        until(lambda: models(settings)["running"]["version"] == "1.3.0", seconds=60)
        until(lambda: models(settings)["running"]["trial"] is None, seconds=60)
    for left in path.parent.glob("line.db*"):
        left.write_bytes(b"no database " * 1000) if how == "damaged" else left.unlink()
    with line(settings):
        until(lambda: bool(models(settings)))
        assert models(settings)["running"]["version"] == "1.2.3"
        assert models(settings)["lost"]["bundle"] == made.digest
        causes = of_service(config_of(settings), "line").content["causes"]
        assert any("decides instead of bright 1.3.0" in cause["what"] for cause in causes)  # type: ignore[index, attr-defined]
        if how == "damaged":
            until(reached(settings, "shadow"), seconds=60)  # persons decide until one has looked
            named = {"limit": "unreadable", "reason": "a test"}
            answer = ask_line(config_of(settings), "clear_limit", named, "anna")
            assert answer is not None
            assert answer["ok"], answer
        until(lambda: models(settings)["running"]["version"] == "1.3.0", seconds=60)
        until(lambda: models(settings)["lost"] is None)
    told = [record["to"] for record in records(settings, "rollout/1")]
    assert told[:4] == ["assigned", "verified", "proved", "shadow"]


def deciding_child(settings: Path, process: subprocess.Popen[str]) -> int | None:
    """The process of the candidate that decides parts: neither idle nor that of the active one."""
    active = of_service(config_of(settings), "line").content["model_pid"]
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    for pid in " ".join(path.read_text() for path in tasks).split():
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            if "inference.host" in words and int(pid) != active and words[-3] == "0":
                return int(pid)
    return None


@pytest.mark.slow
def test_a_canary_that_somebody_kills_goes_on_and_one_that_crashes_goes(tmp_path: Path) -> None:
    settings = a_station(tmp_path)
    with line(settings) as process:
        install(settings, better(tmp_path), strategy="canary", steps=[50], promote=False)
        until(reached(settings, "canary"), seconds=60)
        deaths = lambda: models(settings)["candidate"]["evidence"]["deaths"]["candidate"]  # noqa: E731
        for how in (signal.SIGKILL, signal.SIGSEGV):
            until(lambda: deciding_child(settings, process) is not None)
            pid = deciding_child(settings, process)
            assert pid is not None
            os.kill(pid, how)
            if how == signal.SIGKILL:
                until(lambda: deaths() == 1)
                seen = models(settings)["candidate"]["parts"]
                until(lambda seen=seen: models(settings)["candidate"]["parts"] > seen + 20)  # type: ignore[misc]
                assert models(settings)["candidate"]["state"] == "canary"
        until(reached(settings, "rolled_back"))
    assert records(settings, "rollout/1")[-1]["code"] == "died"
