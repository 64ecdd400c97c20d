"""The cameras at this machine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from camera.v4l2_driver import CONTROLS, Ioctl, Mode, card, driver, has_control, modes, read_control

SYSTEM = Path("/sys/class/video4linux")
DEVICES = Path("/dev")
BY_ID = Path("/dev/v4l/by-id")


@dataclass(frozen=True, slots=True)
class Device:
    """One camera.

    `path` is the name to configure: by id where udev gives one, since numbers change. `modes` are
    its formats and sizes, `controls` its settings as they are now. `trouble` says why it could not
    be asked.
    """

    path: Path
    node: Path
    name: str
    modes: tuple[Mode, ...] = ()
    controls: tuple[tuple[str, int], ...] = ()
    trouble: str | None = None

    @property
    def best(self) -> Mode | None:
        """The largest mode; among equals MJPG, which most cameras need for their full rate."""
        return max(
            self.modes,
            key=lambda mode: (mode.width * mode.height, mode.pixel_format == "MJPG"),
            default=None,
        )


def devices(
    system: Path = SYSTEM,
    nodes: Path = DEVICES,
    by_id: Path = BY_ID,
    driver: Callable[[Path], AbstractContextManager[Ioctl]] = driver,
) -> list[Device]:
    """Every camera that is plugged in, in the order of their numbers; nothing is changed."""
    if not system.is_dir():
        return []
    names = sorted((path.name for path in system.glob("video*")), key=lambda name: int(name[5:]))
    stable = _stable_names(by_id)
    found = []
    for name in names:
        node = nodes / name
        device = _ask(node, stable.get(node.resolve(), node), system / name / "name", driver)
        if device is not None:
            found.append(device)
    return found


def _ask(
    node: Path,
    path: Path,
    name_file: Path,
    driver: Callable[[Path], AbstractContextManager[Ioctl]],
) -> Device | None:
    try:
        with driver(node) as ioctl:
            name = card(ioctl)
            if name is None:
                return None
            settings = {control: read_control(ioctl, control) for control in CONTROLS}
            known = tuple(
                (control, value)
                for control, value in settings.items()
                if value is not None and has_control(ioctl, control)
            )
            return Device(path, node, name, tuple(modes(ioctl)), known)
    except OSError as error:
        called = name_file.read_text().strip() if name_file.is_file() else node.name
        return Device(path, node, called, trouble=str(error.strerror or error))


def _stable_names(by_id: Path) -> dict[Path, Path]:
    if not by_id.is_dir():
        return {}
    return {link.resolve(): link for link in sorted(by_id.iterdir(), reverse=True)}
