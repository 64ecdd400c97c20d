"""A station for tests: a small real bundle, a folder of pictures, the real processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import yaml

from camera.synthetic import SyntheticSource
from edge.config import Config
from edge.config_file import load
from edge.store.archive import Archive
from edge.store.rows import Row
from tests.inference import bundles

SOME_OF_EACH = {
    "automation": "partial",
    "accept_below": 0.93,
    "reject_above": 0.96,
    "allow_uncertified": True,
}
"""Rules by which the simulated parts of `pictures` and of a synthetic camera are accepted,
rejected and escalated."""


def pictures(folder: Path, count: int, seed: int = 3) -> Path:
    """JPEGs of simulated parts, one file a part, in order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    source = SyntheticSource(seed=seed, limit=count, width=160, height=120)
    source.open()
    while (frame := source.read()) is not None:
        assert frame.image is not None
        assert cv2.imwrite(str(folder / f"{frame.number:05d}.jpg"), frame.image)
    return folder


def station(folder: Path, camera: dict[str, Any], **sections: Any) -> Path:
    """Write a configuration in which everything with a score is accepted; its path."""
    if not (folder / "bright").exists():
        bundles.make(folder)
    cuts = {"accept_below": 1.0, "reject_above": 1.0, "allow_uncertified": True}
    settings = {
        "station": {"site": "plant", "line": "line", "name": "station"},
        "state_dir": "state",
        "camera": camera,
        "model": {"bundle": "bright"},
        "decision": {"automation": "partial", **cuts},
        **sections,
    }
    path = folder / "edge-inspect.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def config_of(path: Path) -> Config:
    """The configuration as the services read it."""
    return load(path)


def start(path: Path, *words: str, **more: Any) -> subprocess.Popen[str]:
    """A command of the appliance as a child process; its standard output is a pipe unless said."""
    command = [sys.executable, "-m", "edge", *words, "--config", str(path)]
    return subprocess.Popen(command, **{"stdout": subprocess.PIPE, "text": True, **more})


def rows(path: Path) -> list[Row]:
    """Every record of the line."""
    found: list[Row] = []
    with Archive(config_of(path).state_dir / "line.db") as archive:
        while more := archive.rows(found[-1].seq if found else 0, 5000, 1 << 26):
            found += more
    return found
