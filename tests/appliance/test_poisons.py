"""Bad models on the whole appliance: pushed by a real fleet over a real broker to a real station.

Whatever they do, the old model decides again, nothing was accepted by theirs beyond the canary's
share and its own cuts, no part is lost, and it is said why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from inference.bundle import Bundle
from tests.appliance.poisoning import HERE, PARTS_PER_SECOND, Appliance, Story, lost, wait
from tests.simulators.poisons import Kind, bundle

pytestmark = pytest.mark.broker
WITHIN_S = 30.0
LATER = 500
"""The frame at which what dies or hangs does so: it has been promoted by then, or, on a machine
that is busy with other things, has died in shadow before, which is not the end of it yet."""
MUCH_LATER = 1000
"""What is found out by one such frame must not come to it in shadow, on a busy machine either."""
VERSIONS = count(1)
Record = dict[str, Any]


def soak(*values: object) -> Any:
    """The same poisons by another way, or nearly the same: in `make soak`."""
    return pytest.param(*values, marks=pytest.mark.soak)


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """One for all of them: what one poison leaves behind must not save the next one."""
    made = Appliance(tmp_path_factory.mktemp("appliance"))
    yield made
    made.close()


def made(appliance: Appliance, kind: Kind, **more: int) -> Bundle:
    """A poison that nobody has seen yet."""
    version = f"1.3.{next(VERSIONS)}"
    return bundle(appliance.folder / "poisons" / version, kind, version=version, **more)


def ended(appliance: Appliance, poison: Bundle, since: int, *codes: str) -> Story:
    """Waits until it is gone for one of these reasons, and everybody says so; what happened, with
    all that holds for every poison."""
    wait(lambda: appliance.refusal(poison) is not None, "its end")
    wait(lambda: answers(appliance, since, poison), "the old model's next answer")
    refusal = appliance.refusal(poison)
    assert refusal is not None
    story = Story(poison.digest, appliance.records(since), appliance.state_dir)
    assert story.steps[-1]["code"] in codes, refusal
    assert (refusal["code"], refusal["why"]) == (story.steps[-1]["code"], story.steps[-1]["why"])
    story.keeps_to_its_share()
    story.accepts_by_its_own_cuts()
    unhurt(story)
    run = Story(poison.digest, appliance.records(appliance.run_began), appliance.state_dir)
    assert lost(run.parts) == set()
    assert appliance.status()["unrecorded"] == 0
    said_at_the_station(appliance, poison, refusal)
    return story


def answers(appliance: Appliance, since: int, poison: Bundle) -> bool:
    """Whether another model has accepted a part since the newest step of this one."""
    story = Story(poison.digest, appliance.records(since), appliance.state_dir)
    if not story.steps or story.states[-1] not in ("rejected", "rolled_back"):
        return False
    over = story.steps[-1]["seq"]
    return any(one["decision"] == "accept" and one["seq"] > over for one in story.by_others)


def unhurt(story: Story) -> None:
    """Before the poison decides, no part of the line comes to grief; and the old model keeps to its
    one calibration."""
    first = next((one["seq"] for one in story.steps if one["to"] in ("canary", "active")), None)
    for one in story.parts:
        if first is None or one["seq"] < first:
            assert one["reason"] not in ("fault", "late"), one
    assert len({one["calibration"] for one in story.by_others}) == 1


def said_at_the_station(appliance: Appliance, poison: Bundle, refusal: Record) -> None:
    """`status` and `model list` name it with its reason."""
    name = f"{poison.name} {poison.version}"
    why = f"({refusal['code']}): {refusal['why'][:40]}"
    wait(lambda: name in str(appliance.status()["causes"]), "the alarm")
    said = appliance.command("status")
    assert f"{name} was" in said
    assert why in said
    listed = map(json.loads, appliance.command("model", "list", "--json").splitlines())
    roles = [one["role"] for one in listed if one.get("digest") == poison.digest]
    assert roles == [f"refused ({refusal['code']})"]


def said_by_the_fleet(appliance: Appliance, poison: Bundle, story: Story) -> None:
    """`fleet status` names it with its reason, for people and for programs."""
    end = story.steps[-1]
    wait(lambda: appliance.at_fleet().get("code") == end["code"], "the reason in `fleet status`")
    station, why = appliance.at_fleet(), " ".join(end["why"].split())
    assert (station["state"], station["why"]) == (end["to"], why)
    assert station["running"]["version"] == "1.2.3"
    assert poison.digest in {one["bundle"] for one in station["refused"]}
    word = end["to"].replace("_", " ")
    assert f"{HERE}: {word}: {end['code']}: {why}" in appliance.fleet("status")


def pushed(
    appliance: Appliance, poison: Bundle, strategy: str, *codes: str, least: int = 20
) -> Story:
    """By the fleet, and all that must hold. `least` parts are compared before each step."""
    since = appliance.head
    steps = ("--canary", "50,100", "--min-parts", str(least))
    appliance.push(poison, "--strategy", strategy, *steps)
    story = ended(appliance, poison, since, *codes)
    said_by_the_fleet(appliance, poison, story)
    return story


def installed(appliance: Appliance, poison: Bundle, strategy: str, *codes: str) -> Story:
    """By a person at the station, and all that must hold."""
    since = appliance.head
    words = ("--by", "anna", "--strategy", strategy, "--steps", "50,100")
    appliance.command("model", "install", str(poison.root), *words, "--not-trained-on-these")
    return ended(appliance, poison, since, *codes)


def measured(kind: str, story: Story, bad: Callable[[Record], bool]) -> tuple[float, int]:
    """How long a poison that decided went on after it had turned bad, and for how many parts."""
    assert {"canary", "active"} & set(story.states), story.states
    began = next(one["seq"] for one in story.steps if one["to"] in ("canary", "active"))
    seconds, parts = story.lasted(lambda one: one["seq"] > began and bad(one))
    print(
        f"\n{kind}: {story.states}, {story.steps[-1]['code']}; answered {len(story.by_it)} parts,"
        f" accepted {len(story.accepted)}; from turning bad to the old model {seconds:.1f} s,"
        f" {parts} parts of it between"
    )
    return seconds, parts


def fails(one: Record) -> bool:
    """A part that got no answer."""
    return one["reason"] in ("fault", "late")


def test_what_cannot_be_loaded(appliance: Appliance) -> None:
    story = pushed(appliance, made(appliance, "crash_on_load"), "blue-green", "died")
    assert story.states == ["assigned", "verified", "rejected"]
    assert story.by_it == []


def test_what_does_not_fit_by_hand(appliance: Appliance) -> None:
    story = installed(appliance, made(appliance, "wrong_shape"), "blue-green", "does_not_fit")
    assert story.states == ["verified", "rejected"]
    assert story.by_it == []


def test_what_crashes_on_the_100th_frame_decides_nothing(appliance: Appliance) -> None:
    story = pushed(appliance, made(appliance, "crash_on_frame", frame=100), "shadow", "died")
    assert story.states[-2:] == ["shadow", "rejected"]
    assert story.by_it == []


def test_what_crashes_once_it_decides_and_is_not_tried_again(appliance: Appliance) -> None:
    poison = made(appliance, "crash_on_frame", frame=LATER)
    story = pushed(appliance, poison, "canary", "died")
    _, parts = measured("crashes", story, fails)
    assert parts <= PARTS_PER_SECOND  # it dies no second time
    head = appliance.head
    for name in ("line", "sync"):
        appliance.end(name)
        appliance.begin(name)
    desired = appliance.at_fleet()["desired"]
    wait(lambda: appliance.status("sync").get("connected") is True, "the broker")
    wait(lambda: appliance.status()["inspected"] > 50, "the line to go on")
    again = Story(poison.digest, appliance.records(head), appliance.state_dir)
    assert again.steps == []
    assert again.by_it == []
    assert appliance.models["running"]["version"] == "1.2.3"
    # nobody has said "again": it is not even sent, and the reason is told
    refused = appliance.push_refused(poison, "--strategy", "blue-green", "--min-parts", "20")
    assert f"{HERE} " in refused
    assert "died: " in refused
    assert "--again" in refused
    assert appliance.at_fleet()["desired"] == desired
    assert "died" in appliance.fleet("status")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "strategy", "codes"),
    [
        ("hang", "blue-green", ("hung",)),
        ("nan", "blue-green", ("nonsense",)),
        ("wrong_shape", "canary", ("does_not_fit",)),
        ("wrong_labels", "blue-green", ("wrong_labels",)),
        ("constant", "canary", ("constant",)),
        ("memory", "blue-green", ("too_large",)),
        soak("upside_down", "blue-green", ("wrong_labels",)),
        soak("crash_on_frame", "blue-green", ("died",)),
        soak("hang_on_frame", "canary", ("hung", "died")),
    ],
)
def test_what_is_bad_from_the_first_hundred_frames_on(
    appliance: Appliance, kind: Kind, strategy: str, codes: tuple[str, ...]
) -> None:
    more = {"frame": 100} if kind.endswith("_frame") else {}
    # with the usual 200 parts; 20, as elsewhere here, would promote what has died once
    story = pushed(appliance, made(appliance, kind, **more), strategy, *codes, least=200)
    print(f"\n{kind}: {story.states}, {story.steps[-1]['code']}: {story.steps[-1]['why']}")
    assert story.states[-1] == "rejected"
    assert story.by_it == []


@pytest.mark.slow
@pytest.mark.parametrize(("rounds", "code"), [(100, "slower"), (8000, "too_slow")])
def test_what_is_ten_times_slower(appliance: Appliance, rounds: int, code: str) -> None:
    """Than the old model; and than the deadline."""
    poison = made(appliance, "slow", rounds=rounds)
    story = pushed(appliance, poison, "canary", code, *(["hung"] if rounds > 1000 else []))
    print(f"\nslow: {story.states}, {story.steps[-1]['code']}: {story.steps[-1]['why']}")
    assert story.states[-1] == "rejected"
    assert story.by_it == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "frame", "how", "strategy", "codes"),
    [
        ("crash_on_frame", LATER, pushed, "blue-green", ("died",)),
        ("hang_on_frame", LATER, pushed, "canary", ("died", "late", "hung")),
        ("nan_on_frame", MUCH_LATER, pushed, "blue-green", ("nonsense",)),
        ("accept_on_frame", MUCH_LATER, pushed, "canary", ("permissive",)),
        soak("crash_on_frame", LATER, installed, "blue-green", ("died",)),
        soak("hang_on_frame", LATER, pushed, "blue-green", ("died", "late", "hung")),
        soak("accept_on_frame", MUCH_LATER, pushed, "blue-green", ("permissive",)),
    ],
)
def test_what_turns_bad_after_its_promotion(
    appliance: Appliance,
    kind: Kind,
    frame: int,
    how: Callable[..., Story],
    strategy: str,
    codes: tuple[str, ...],
) -> None:
    poison = made(appliance, kind, frame=frame)
    story = how(appliance, poison, strategy, *codes)

    def bad(one: Record) -> bool:
        model = one["model"] or {}
        accepts_all = model.get("bundle") == poison.digest and one["score"] < 1e-9
        return accepts_all if kind == "accept_on_frame" else fails(one)

    seconds, _ = measured(f"{kind}, {strategy}", story, bad)
    assert story.states[-1] == "rolled_back"
    assert seconds <= WITHIN_S


@pytest.mark.slow
def test_what_turns_bad_after_the_line_was_killed_in_its_trial(appliance: Appliance) -> None:
    poison, since = made(appliance, "crash_on_frame", frame=LATER), appliance.head
    appliance.push(poison, "--strategy", "blue-green", "--min-parts", "20")
    wait(lambda: (appliance.models.get("running") or {}).get("trial"), "its trial")
    appliance.kill("line")
    appliance.begin("line")
    story = ended(appliance, poison, since, "died")
    said_by_the_fleet(appliance, poison, story)
    assert story.states[-2:] == ["active", "rolled_back"]
