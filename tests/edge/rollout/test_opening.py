"""What a line begins with, and orders about models while it is stopped."""

from __future__ import annotations

import hashlib
import os
import signal
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from edge import calibrations
from edge.calibrations import STATE_APPLIED, STATE_DIGEST
from edge.requests import Answer, Request
from edge.rollout.changes import move
from edge.rollout.standing import Place, Standing, remembered
from edge.standards import Standards
from edge.wiring import build
from inference.bundle import load
from inference.slots import Slots
from tests.appliance.station import config_of, station
from tests.appliance.test_rollout import CAMERA, better
from tests.edge.rollout.candidates import probation
from tests.inference.bundles import until

PLAIN = {"decision": {"automation": "partial"}}
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return station(tmp_path, CAMERA, **PLAIN)


def order(settings: Path, kind: str, **arguments: object) -> Answer:
    """A person's order while the line is stopped."""
    given = {"reason": "a test", **arguments}
    request = Request(str(uuid.uuid4()), kind, given, "anna", "root")
    return build(config_of(settings)).apply(request)


def install(settings: Path, **more: Any) -> Answer:
    made = better(settings.parent)
    asked = {"source": str(made.root), "digest": made.digest}
    return order(settings, "model_install", **asked, name=made.name, version=made.version, **more)


def begun(settings: Path) -> Standing:
    """What a line would begin with; it ends at once."""
    line = build(config_of(settings))
    appliance = line._appliance
    appliance.recorder.close()
    appliance.lock.release()
    found = begun_of(appliance)
    assert appliance.inspector.desk.seats.active.digest == found.active.digest
    return found


def promote_by_hand(settings: Path) -> Standing:
    """As after a promotion: the bundle in its slot, and what line.db remembers."""
    assert install(settings)["ok"]
    made = better(settings.parent, "1.3.1")
    Slots(config_of(settings).state_dir / "slots").put(made.root, "a")
    line = build(config_of(settings))
    appliance = line._appliance
    before = begun_of(appliance)
    after = move(before, "supersede", 1.0).standing
    place = Place("a", made.digest, made.name, made.version, factory=after.factory.digest)
    now = replace(after, active=place, previous=after.factory)
    journal = appliance.recorder._journal
    journal.append([], state=now.state())
    assert remembered(journal.state, after.factory).active == place
    appliance.recorder.close()
    appliance.lock.release()
    return now


def helper(appliance: Any) -> Any:
    return next(one for one in appliance.tender._tended.helpers if hasattr(one, "standing"))


def begun_of(appliance: Any) -> Standing:
    found = helper(appliance).standing
    assert isinstance(found, Standing)
    return found


def test_an_order_is_stored_while_the_line_is_stopped(settings: Path) -> None:
    answer = install(settings)
    assert (answer["ok"], answer["state"]) == (True, "verified")
    candidate = begun(settings).candidate
    assert candidate is not None
    assert (candidate.state, candidate.slot, candidate.orders.by) == ("verified", "a", "anna")
    assert order(settings, "model_cancel")["state"] == "cancelled"
    assert begun(settings).candidate is None
    assert "no candidate" in str(order(settings, "model_promote")["message"])


def test_a_line_begins_with_the_bundle_in_its_slot(settings: Path) -> None:
    now = promote_by_hand(settings)
    found = begun(settings)
    assert found.active.digest == now.active.digest
    assert order(settings, "model_rollback")["ok"]
    assert begun(settings).active.slot == "factory"


def test_a_damaged_slot_gives_way_to_the_configured_bundle(settings: Path) -> None:
    promote_by_hand(settings)
    model = config_of(settings).state_dir / "slots" / "a" / "model.tflite"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    assert begun(settings).active.slot == "factory"


def test_where_nothing_can_be_used_persons_decide(settings: Path) -> None:
    promote_by_hand(settings)
    for path in (config_of(settings).state_dir / "slots" / "a", settings.parent / "bright"):
        (path / "model.tflite").write_bytes(b"no model")
    line = build(config_of(settings))
    assert line._appliance.inspector.desk.seats.active.ruling.degree == "human_only"
    line._appliance.recorder.close()
    line._appliance.lock.release()


@pytest.mark.parametrize(
    ("how", "told"), [(signal.SIGKILL, "candidate"), (signal.SIGSEGV, "deciding")]
)
@pytest.mark.parametrize("promoted", [False, True])
def test_one_that_decides_is_told_apart_from_one_that_somebody_ended(
    settings: Path, how: signal.Signals, told: str, promoted: bool
) -> None:
    promote_by_hand(settings)
    line = build(config_of(settings))
    appliance = line._appliance
    models, steward = appliance.model, helper(appliance)
    newcomer = replace(probation("c"), digest=steward.standing.active.digest)
    try:
        if promoted:
            models.start()
            child = models.acting.process
        else:
            other = better(settings.parent, "1.4.0")
            newcomer = replace(newcomer, digest=other.digest)
            models.load(replace(models.active, bundle=other, slot="b"))
            models.canary(1.0)
            child = models.candidate.main.process
        assert child.wait_ready(30.0)
        deaths = steward._given.dossier.__self__._deaths(newcomer)
        assert deaths() == []
        os.kill(child.pid, how)

        def look() -> bool:
            child.step(time.monotonic_ns())
            return bool(child.deaths)

        until(look)
        assert deaths() == [told]
    finally:
        models.close()
        appliance.recorder.close()
        appliance.lock.release()


def test_a_newly_configured_bundle_comes_first(settings: Path) -> None:
    promote_by_hand(settings)
    made = better(settings.parent, "2.0.0")
    station(settings.parent, CAMERA, **PLAIN, model={"bundle": str(made.root)})
    assert begun(settings).active.digest == made.digest


def test_a_bundle_that_could_not_be_read_once_has_its_calibration_again_as_soon_as_it_can(
    settings: Path,
) -> None:
    config = config_of(settings)
    bundle = load(Path(config.model.bundle))
    binding = Standards(config, bundle).binding
    cuts = {"accept_below": 0.1, "reject_above": 0.9, "certified": True}
    content = {"schema": "calibration/1", "id": ID, **asdict(binding), **cuts}
    path = calibrations.write(config.state_dir / "calibrations", content)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    run(settings, {STATE_APPLIED: ID, STATE_DIGEST: sha256})
    model = bundle.root / "model.tflite"
    sound = model.read_bytes()
    model.write_bytes(b"rotten")
    assert run(settings) is None
    model.write_bytes(sound)
    assert run(settings) == ID
    assert run(settings) == ID


def run(settings: Path, remembered: Mapping[str, str] | None = None) -> str | None:
    """The calibration by which a line decides that begins, stores what it begins with, and ends."""
    appliance = build(config_of(settings))._appliance
    journal = appliance.recorder._journal
    helpers = appliance.tender._tended.helpers
    steward: Any = next(one for one in helpers if hasattr(one, "standing"))
    for entry in steward.step(1):
        journal.append(entry.records, state=entry.state)
    journal.append([], state=remembered or {})
    cuts = appliance.inspector.desk.seats.active.ruling.cuts
    steward.close()
    appliance.recorder.close()
    appliance.lock.release()
    return None if cuts is None else cuts.calibration
