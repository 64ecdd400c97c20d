"""Our side: the whole line, with everything around it."""

from __future__ import annotations

import os
import signal
import statistics
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.sides.around import delivery, open_page
from benchmarks.sides.memory import pss
from benchmarks.sides.pace import PACE, percentiles
from benchmarks.sides.role import begin, result
from benchmarks.sides.source import paced
from benchmarks.sides.station import acknowledged, backlog, config_for


def line_throughput(state: str, pictures: str, bundle: str, parts: int) -> float:
    """Parts per second of the whole line, from its first part to the last one on disk."""
    from edge.wiring import build

    line = build(config_for(state, pictures, bundle), most=parts)
    began: list[int] = []
    appliance = line._appliance
    original = appliance.inspector._inspect

    def first(frame: Any) -> None:
        if not began:
            began.append(time.monotonic_ns())
        original(frame)

    appliance.inspector._inspect = first  # type: ignore[method-assign]
    line.run()
    assert appliance.recorder.inspections == parts
    return parts * 1e9 / (time.monotonic_ns() - began[0])


def line_latency(
    state: str,
    pictures: str,
    bundle: str,
    seconds: float,
    waiting: int = 60_000,
    acknowledge: str = "broker",
    tablets: int = 0,
    real_time: bool = False,
) -> dict[str, float]:
    """Frame to decision of the whole line at the same pace, while a backlog drains.

    To a collector where it is to acknowledge: then also how the drain went (see `drain`). With
    `tablets`, so many have the page open meanwhile; they run at the lowest priority, since in a
    plant they are other machines. `real_time`: the line and its child are scheduled as the option
    in the line's unit does.
    """
    from edge.demo.station import find_mosquitto, free_port

    port = free_port() if find_mosquitto() else 0
    broker = f"mqtt://127.0.0.1:{port}" if port else ""
    page = free_port() if tablets else 0
    config = config_for(state, pictures, bundle, broker, acknowledge, page)
    backlog(config, waiting if port else 0)
    central = f"{state}/central.db" if port and acknowledge == "collector" else ""
    children, watcher = delivery(Path(state), broker, port, central) if port else [], None
    if central:
        watcher = begin("drain", central=central, waiting=waiting, pid=children[-1].pid)
    if tablets:
        children += open_page(config, page, tablets)
    try:
        if real_time:  # from here on, so that only the line's threads and its child inherit it
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
        figures = paced_line(config, pictures, seconds)
        figures["drained"] = acknowledged(Path(state))
        return figures if watcher is None else figures | result(watcher.communicate()[0])
    finally:
        for child in children:
            child.send_signal(signal.SIGTERM)
            child.wait()


def paced_line(config: Any, pictures: str, seconds: float) -> dict[str, float]:
    """Run the line on a live source that gives decoded pictures at the pace."""
    from edge import cameras
    from edge.records import Inspection
    from edge.wiring import build

    source = paced(pictures, {"bench": "paced"}, PACE, lambda given: given < seconds * PACE)
    cameras.source = lambda camera: source
    line = build(config)
    made: list[Inspection] = []

    class Output:
        def tell(self, inspection: Inspection) -> None:
            made.append(inspection)

    line._appliance.inspector.desk.output = Output()
    line.run()
    decided = [one for one in made if one.score is not None]
    assert len(decided) > 0.9 * seconds * PACE, "the line did not keep the pace"
    figures = percentiles([one.latency.total for one in decided])
    for key in ("quality", "inference"):
        figures[key] = statistics.median(getattr(one.latency, key) for one in decided)
    return figures


def line_memory(state: str, pictures: str, bundle: str) -> float:
    """PSS of the line process and its child in MB, once it has run for a while."""
    from edge.wiring import build

    line = build(config_for(state, pictures, bundle), most=400)
    seen: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            child = line._appliance.model.acting.pid  # type: ignore[union-attr]
            seen.append(pss(os.getpid()) + (pss(child) if child else 0.0))

    watcher = threading.Thread(target=look)
    watcher.start()
    line.run()
    over.set()
    watcher.join()
    return max(seen)
