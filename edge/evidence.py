"""What records refer to by digest, kept for good: configurations, and manifests of bundles.

Nothing in `kept/` is ever deleted by this program. It is what an auditor needs years later to read
a record: which settings, which model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge.files import write_atomically
from edge.log import log
from edge.store.durable import make_directory

if TYPE_CHECKING:
    from edge.config import Config
    from inference.bundle import Bundle

FOLDER = "kept"


def keep(config: Config, bundle: Bundle | None) -> None:
    """Write `kept/configurations/<digest>.yaml` and `kept/manifests/<bundle>.yaml` where they are
    not there yet. A disk that refuses is no reason not to start: it is tried at the next start."""
    folder = config.state_dir / FOLDER
    _once(folder / "configurations" / f"{config.digest}.yaml", lambda: _configuration(config))
    if bundle is not None:
        path = Path(bundle.root) / "bundle.yaml"
        _once(folder / "manifests" / f"{bundle.digest}.yaml", path.read_bytes)


def _once(path: Path, content: Callable[[], bytes]) -> None:
    if path.exists():
        return
    try:
        make_directory(path.parent)
        write_atomically(path, content())
    except OSError as error:
        log.error("kept.failing", path=path, error=error)


def _configuration(config: Config) -> bytes:
    """The values in force, defaults included. Secrets are not among them: only their paths are."""
    import yaml

    values = json.loads(config.model_dump_json())
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True).encode()
