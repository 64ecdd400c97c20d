"""The clocks of this machine."""

from __future__ import annotations

import time
import uuid

from edge.clock import Clock, boot_id


def test_ids_are_version_7_differ_and_carry_the_time() -> None:
    clock = Clock()
    before = int(time.time() * 1000)
    ids = [clock.new_id() for _ in range(500)]
    assert len(set(ids)) == 500
    assert {uuid.UUID(one).version for one in ids} == {7}
    assert {uuid.UUID(one).variant for one in ids} == {uuid.RFC_4122}
    assert all(uuid.UUID(one).int >> 80 >= before for one in ids)


def test_a_moment_is_one_instant_on_both_clocks() -> None:
    clock = Clock()
    wall, monotonic_ns = time.time(), time.monotonic_ns()
    moment = clock.moment()
    assert moment.wall >= wall
    assert moment.monotonic_ns >= monotonic_ns
    assert moment.clock_synced == clock.synced


def test_a_chance_is_a_share() -> None:
    clock = Clock()
    drawn = [clock.chance() for _ in range(200)]
    assert min(drawn) >= 0
    assert max(drawn) < 1
    assert len(set(drawn)) > 100


def test_the_boot_has_one_id() -> None:
    assert boot_id() == boot_id()
    assert len(boot_id()) == 36
