from __future__ import annotations

import random
import uuid

import pytest

from edge.picking import draw, in_sample, is_escalated, with_picture
from edge.store.images import parse_policy, wanted

REFERENCE = {"path": "images/a.jpg", "sha256": "a" * 64}


def content(decision="accept", **more):
    return {
        "schema": "inspection/1",
        "id": str(uuid.uuid4()),
        "decision": decision,
        "asked": False,
        "tags": {},
        "image": REFERENCE,
        **more,
    }


def test_a_picture_is_one_that_was_kept_of_an_inspection():
    assert with_picture(content())
    assert not with_picture(content(image=None))
    assert not with_picture(content(schema="alarm/1"))


def test_escalated_are_those_that_a_person_was_asked_about():
    assert is_escalated(content("escalate"))
    assert is_escalated(content("accept", asked=True))
    assert not is_escalated(content("reject"))


@pytest.mark.parametrize("words", ["escalated+rejected+random:0.2", "random:0.2"])
def test_every_part_is_in_the_sample_with_the_same_probability(words):
    """Whatever was decided: 20,000 parts of each kind, kept as the line keeps them."""
    policy, chance = parse_policy(words), random.Random(7)
    for decision, asked in [("accept", False), ("reject", False), ("escalate", True)]:
        sampled = 0
        for _ in range(20_000):
            if wanted(policy, decision, asked, chance.random()):
                part = content(
                    decision, asked=asked, id=str(uuid.UUID(int=chance.getrandbits(128)))
                )
                sampled += in_sample(part, policy)
        # Seven standard deviations of the binomial distribution.
        assert abs(sampled - 4000) < 400, (decision, sampled)


def test_without_a_random_share_there_is_no_sample():
    for words in ("all", "none", "escalated+rejected"):
        assert not in_sample(content(), parse_policy(words))
        assert not in_sample(content("escalate"), parse_policy(words))


def test_challenge_parts_are_in_no_sample():
    policy = parse_policy("random:1")
    assert in_sample(content(), policy)
    assert not in_sample(content(tags={"challenge": "x"}), policy)


def test_a_draw_is_the_same_every_time():
    assert draw("a") == draw("a") != draw("b")
    assert 0 <= draw("a") < 1
