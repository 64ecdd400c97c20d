"""Spot checks: the picture alone, and the model's answer after one's own."""

import json

import pytest

KEPT_BACK = ("score", "label", "scores", "would_be", "decision", "cuts", "reason")


@pytest.fixture(scope="module")
def plant(make_plant):
    # every part is accepted by the model, and a person is asked about each anyway
    rules = {"automation": "partial", "accept_below": 1.0, "reject_above": 1.0}
    rules |= {"allow_uncertified": True, "spot_checks_per_day": 10_000_000}
    return make_plant("run", "web", decision=rules)


def test_a_spot_check_shows_the_picture_alone_and_the_answer_afterwards(tablet, plant):
    one = tablet()
    replies = []
    one.page.on("response", lambda found: replies.append(found) if "/claims" in found.url else None)
    one.sign_in("201", plant.pins["otto"])
    shown = one.ready()
    assert one.test("alone").is_visible()
    for hidden in ("answer", "left", "look-toggle", "part-itself"):
        assert not one.test(hidden).is_visible(), hidden
    assert one.test("because").inner_text().startswith("seen at")
    case = replies[-1].json()["case"]
    assert case["alone"] is True
    assert case["answer"] is case["reason"] is case["left_s"] is case["look_url"] is None
    assert not case["doubts"]
    for word in ("check", "seeded", *(f'"{name}": 0' for name in KEPT_BACK)):
        assert word not in json.dumps(case), word
    with one.page.expect_response("**/api/v1/verdicts") as said:
        one.test("accept").tap()
    assert said.value.json()["answer"]["score"] is not None
    one.test("answer").wait_for(state="visible")
    assert "The model said" in one.test("answer").inner_text()
    one.next_part(shown)
    assert not one.test("answer").is_visible()
    (verdict,) = plant.queue()
    assert verdict["answer_shown"] is False
    assert plant.fate(shown)["by"] == "model"
