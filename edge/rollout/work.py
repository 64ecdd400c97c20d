"""One slow step of a rollout, as a process: `python -m edge.rollout.work KIND TIE`.

The order comes on standard input; standard output gets `[done, of]` on the way and the result as
the last line, both as JSON. TIE is the end of a pipe whose other end the line holds: this process
ends when it is closed.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from edge.config import Config
from edge.rollout.outcome import Calibrated, Installed, Kind, Proved, Result, as_json, failed
from inference.bundle import Bundle, BundleError, load
from inference.confine import end_with, go_first
from inference.idle import weigh_session

NICE = 10
BADNESS = 800
"""Less than a model's own: a model that eats the machine's memory goes before who proves it."""
Tell = Callable[[int, int], None]


def main(arguments: list[str]) -> int:
    """Do the step that was ordered; the exit code is 0 whenever there is a result."""
    kind = cast(Kind, arguments[0])
    end_with(int(arguments[1]))
    go_first(BADNESS)
    os.nice(NICE)
    weigh_session()
    order = json.loads(sys.stdin.buffer.read())
    config = Config.model_validate_json(order["config"])
    result = do(kind, config, order["arguments"], _tell)
    print(json.dumps(as_json(result)), flush=True)
    return 0


def do(kind: Kind, config: Config, arguments: Mapping[str, Any], tell: Tell) -> Result:
    """The step. Never raises for a bad bundle or a disk that is full."""
    steps: Mapping[Kind, Callable[[Config, Mapping[str, Any], Tell], Result]]
    steps = {"install": install, "prove": prove, "calibrate": calibrate}
    try:
        return steps[kind](config, arguments, tell)
    except BundleError as error:
        return failed(kind, "too_new" if error.code == "too_new" else "unusable", str(error))
    except OSError as error:
        return failed(kind, "no_space" if _full(error) else "task_failed", str(error), again=True)


def install(config: Config, arguments: Mapping[str, Any], tell: Tell) -> Installed:
    """Put a bundle into a slot."""
    from edge import __version__
    from edge.rollout.ancestry import remember
    from inference.slots import Slots

    slots = Slots(config.state_dir / "slots")
    slot, digest = str(arguments["slot"]), arguments.get("digest")
    put = slots.put(Path(arguments["source"]), slot, digest, __version__)
    with contextlib.suppress(OSError):  # the chain of parents is shorter then, that is all
        remember(config.state_dir, put)
    guessed = put.manifest.guessed if put.unconfirmed else ()
    return Installed(
        True, slot=slot, digest=put.digest, name=put.name, version=put.version, guessed=guessed
    )


def prove(config: Config, arguments: Mapping[str, Any], tell: Tell) -> Proved:
    """Run a bundle as the line would."""
    from edge import __version__
    from inference import proof

    bundle = load(Path(arguments["bundle"]), __version__)
    beside = _in_force(arguments.get("active"))
    limits = proof.Limits(
        latency_ms=config.model.deadline_ms or 0.0, memory_mb=config.rollout.memory_mb
    )
    found = proof.prove(bundle, limits, config.model.threads, beside=beside, tell=tell)
    code, why = (None, None) if found.ok else (found.failures[0].code, found.failures[0].text)
    again = found.interrupted and not found.ok
    return Proved(found.ok, code, why, again, digest=bundle.digest, proof=found.as_json())


def calibrate(config: Config, arguments: Mapping[str, Any], tell: Tell) -> Calibrated:
    """Score this station's own labelled pictures, and find cuts for the targets in force."""
    from edge.rollout.recalibrating import recalibrate

    return recalibrate(config, arguments, tell)


def _in_force(folder: str | None) -> Bundle | None:
    """The bundle that it is to replace; None for one that is damaged: that is what it is for."""
    try:
        return None if folder is None else load(Path(folder))
    except BundleError:
        return None


def _full(error: OSError) -> bool:
    import errno

    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _tell(done: int, of: int) -> None:
    print(json.dumps([done, of]), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
