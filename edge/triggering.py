"""From the configuration to what gives parts: the supervised camera and the trigger behind it."""

from __future__ import annotations

from camera.source import Source
from camera.supervised import NewestFeed, Supervisor, WaitingFeed
from edge import cameras
from edge.clock import Clock
from edge.config import Config
from edge.line.trigger import Continuous, Feed, Interval, Trigger
from edge.workers.overruns import Overruns


def triggering(
    config: Config, source: Source, overruns: Overruns, clock: Clock
) -> tuple[Supervisor, Trigger]:
    """Neither is started. A live source never waits; a part that passes unseen is an overrun."""
    paced, stall_s = config.trigger.every_ms, cameras.stall_s(config.camera)

    def trigger(feed: Feed) -> Trigger:
        if paced is None:
            return Continuous(feed)
        return Interval(feed, paced, source.live, overruns.add, clock.monotonic_ns, clock.wall)

    if not source.live:
        waiting = WaitingFeed()
        return Supervisor(source, waiting, stall_s=stall_s), trigger(waiting)
    # between two ticks of an interval pictures may pass unseen; without one each is a part
    newest = NewestFeed(overruns.add if paced is None else None)
    return Supervisor(source, newest, stall_s=stall_s), trigger(newest)
