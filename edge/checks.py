"""Everything that can be wrong with a station, looked at once, each with what mends it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from camera.frame import Frame
    from camera.source import Source
    from edge.config import Config

State = Literal["ok", "warn", "fail"]
LITTLE_SPACE = 1_000_000_000
CAMERA_WITHIN_S = 8.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was found, and the command that mends it."""

    name: str
    state: State
    what: str
    mend: str = ""


Check = Callable[["Config"], Iterator[Finding]]


def all_checks() -> list[tuple[str, Check]]:
    """Name and check, in the order in which a person would look."""
    from edge.broker_check import check_broker
    from edge.web_check import check_web

    return [
        ("state", check_state),
        ("storage", check_storage),
        ("model", check_model),
        ("calibration", check_calibration),
        ("camera", check_camera),
        ("broker", check_broker),
        ("web", check_web),
        ("clock", check_clock),
        ("services", check_services),
    ]


def check_state(config: Config) -> Iterator[Finding]:
    """The state directory: there or to be made, ours, with room."""
    folder = config.state_dir
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(there, os.W_OK):
        yield Finding("state", "fail", f"{there} cannot be written", f"sudo chown $USER {there}")
        return
    free = shutil.disk_usage(there).free
    shown = f"{folder}: {free / 1e9:.1f} GB free"
    if free < LITTLE_SPACE:
        yield Finding("state", "warn", shown, "make room: pictures and records need it")
    else:
        yield Finding("state", "ok", shown)


def check_storage(config: Config) -> Iterator[Finding]:
    """Whether the limits of storage fit the disk, and how long the room lasts."""
    from edge.storage_check import faults, in_words

    found = list(faults(config))
    for what, mend in found:
        yield Finding("storage", "warn", what, mend)
    if not found:
        yield Finding("storage", "ok", in_words(config))


def check_model(config: Config) -> Iterator[Finding]:
    """The bundle: loads, and proves itself on this machine."""
    from edge.running import running
    from inference.interpreter import runtime_name
    from inference.proof import prove

    found = running(config)
    bundle = found.bundle
    if bundle is None:
        yield Finding(
            "model", "fail", str(found.why), "edge-inspect model wrap FILE.tflite --out DIR"
        )
        return
    name = f"{bundle.name} {bundle.version} on {runtime_name()}"
    proof = prove(bundle)
    if proof.ok:
        what = f"{name}: {proof.latency_ms:.2f} ms, golden pictures {proof.golden}"
        yield Finding("model", "ok", what)
    else:
        why = "; ".join(failure.text for failure in proof.failures)
        mend = f"edge-inspect model prove {found.named}"
        yield Finding("model", "fail", f"{name}: {why}", mend)
    if bundle.unconfirmed:
        guessed = ", ".join(bundle.manifest.guessed)
        mend = f"edge-inspect model confirm {found.named} --by NAME"
        yield Finding("model", "warn", f"guessed and not confirmed: {guessed}", mend)


def check_calibration(config: Config) -> Iterator[Finding]:
    """Whether the model may decide, as far as its cuts are concerned."""
    from edge.running import running

    choice = running(config).standards.choose()
    wanted = config.decision.automation in ("partial", "full")
    mend = "edge-inspect calibrate DIR --apply --by NAME (edge-inspect calibration list)"
    if choice.calibration is not None:
        yield Finding("calibration", "ok", choice.why)
    elif config.decision.accept_below is not None:
        yield Finding("calibration", "warn", "cuts typed by hand are not certified", mend)
    elif wanted:
        what = f"{choice.why}: {config.decision.automation} is held at shadow"
        yield Finding("calibration", "warn", what, mend)
    else:
        yield Finding("calibration", "ok", f"not needed in {config.decision.automation}")


def check_camera(config: Config) -> Iterator[Finding]:
    """One picture, looked at as the line would; not taken while the line has the camera."""
    from edge.status import of_service

    if of_service(config, "line").running:
        yield Finding("camera", "ok", "in use by the running line")
        return
    from camera.source import CameraError
    from edge import cameras

    try:
        source = cameras.source(config.camera)
        frame = _first_frame(source)
    except CameraError as error:
        mend = error.hint or "edge-inspect camera list"
        yield Finding("camera", "fail", str(error), mend)
        return
    if frame is None:
        yield Finding("camera", "fail", "the source has no picture", "edge-inspect camera list")
        return
    yield _picture(config, frame)
    for control in getattr(source, "unmet", ()):
        mend = "edge-inspect camera list shows what this camera can do"
        yield Finding("camera", "warn", f"did not take: {control}", mend)


def check_clock(config: Config) -> Iterator[Finding]:
    """Whether records will carry a time that can be trusted."""
    from edge.clock import Clock

    if Clock().synced:
        yield Finding("clock", "ok", "synchronised")
    else:
        fleet = config.sync is not None and config.sync.trust_root_file is not None
        rest = "nothing else depends on it"
        if fleet:
            rest = "whether the fleet's word is too old is judged by the newest time known here"
        what = f"not synchronised; records say so, {rest}"
        yield Finding("clock", "warn", what, "sudo timedatectl set-ntp true")


def check_services(config: Config) -> Iterator[Finding]:
    """Whether the services run, and run this configuration."""
    from edge.status import of_station

    for status in of_station(config):
        service = status.service
        command = "run" if service == "line" else service
        if not status.running and not status.missed:
            yield Finding(service, "ok", "stopped; nothing waits for a person")
        elif not status.running:
            yield Finding(service, "warn", "not running", f"edge-inspect {command}")
        elif status.content.get("config", config.digest) != config.digest:
            yield Finding(service, "warn", "runs another configuration", "restart it")
        elif status.word != "ok":
            yield Finding(service, "warn", "degraded", "edge-inspect status")
        else:
            yield Finding(service, "ok", "running")


def _first_frame(source: Source) -> Frame | None:
    from camera.source import CameraError

    end = time.monotonic() + CAMERA_WITHIN_S
    source.open()
    try:
        while True:
            try:
                return source.read()
            except CameraError:
                if time.monotonic() > end:
                    raise
    finally:
        source.close()


def _picture(config: Config, frame: Frame) -> Finding:
    from edge.inspection import examine, shown
    from edge.records import Origin
    from edge.seating import make_setup

    setup = make_setup(config, Origin(config.station.path, "", config.digest, ""), "", None)
    image, doubts = shown(frame, setup)
    if image is not None:
        doubts = (*doubts, *examine(image, setup))
    size = "no picture" if frame.image is None else f"{frame.image.shape[1]}x{frame.image.shape[0]}"
    names = ", ".join(doubt.name for doubt in (*frame.doubts, *doubts))
    if names:
        mend = "edge-inspect camera snapshot OUT.jpg; edge-inspect camera tune"
        return Finding("camera", "warn", f"{size}, doubtful: {names}", mend)
    return Finding("camera", "ok", f"a picture of {size}")
