"""The thread that follows the line: real files, one unit after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge.config import Config
from edge.requests import Request, put
from edge.review.refusal import Refused
from edge.store.journal import Journal
from edge.web.following import Rounds, alarms
from edge.web.opening import Opened, open_all
from tests.edge.web.parts import DRAWN, LineOfTests
from tests.edge.web.station import config_in


@dataclass
class Followed:
    """The service without its server, beside a line."""

    config: Config
    line: LineOfTests
    opened: Opened
    told: list[tuple[str, Mapping[str, Any]]]

    @property
    def answers(self) -> Any:
        return self.opened.shop.answers

    def waiting(self) -> list[str]:
        return [one.inspection for one in self.answers.listed(10_000)]

    def units(self, most: int = 50) -> int:
        """Until there is nothing more to do at once; how many it took."""
        for number in range(1, most + 1):
            if not self.opened.follower.unit():
                return number
        raise AssertionError("there is always more to do")

    def later(self) -> None:
        """Everything that is done now and then is due."""
        follower, news = self.opened.follower, self.opened.follower._news
        for one in (follower, news):
            for name in [key for key in vars(one) if key.endswith("_ns") and key != "read_ns"]:
                setattr(one, name, 0)
        self.units()

    def events(self, name: str) -> list[Mapping[str, Any]]:
        return [data for event, data in self.told if event == name]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_in(tmp_path)


@pytest.fixture
def line(config: Config) -> LineOfTests:
    return LineOfTests(config.state_dir)


def follow(config: Config, line: LineOfTests) -> Followed:
    told: list[tuple[str, Mapping[str, Any]]] = []
    opened = open_all(config, False)
    opened.follower._tell = opened.follower._news._tell = lambda *event: told.append(event)
    return Followed(config, line, opened, told)


@pytest.fixture
def followed(config: Config, line: LineOfTests) -> Iterator[Followed]:
    found = follow(config, line)
    yield found
    found.opened.close()


def test_what_waits_at_the_start_is_in_the_queue_oldest_deadline_first(
    config: Config, line: LineOfTests
) -> None:
    late, soon = line.part("late"), line.part("soon")
    line.asks(late, within_s=300)
    line.asks(soon, within_s=30)
    line.sure(3)
    found = follow(config, line)
    found.units()
    assert found.waiting() == [soon.id, late.id]
    assert found.opened.shop.figures.figures(line.clock.wall(), "day").parts == 5
    found.opened.close()


def test_what_comes_is_asked_and_what_is_decided_is_not(followed: Followed) -> None:
    followed.units()
    part = followed.line.part("P-1")
    followed.line.asks(part)
    followed.later()
    assert followed.waiting() == [part.id]
    assert followed.events("queue")[-1]["new"] == 1
    followed.line.decides(part, "hold", "fallback")
    followed.units()
    assert followed.waiting() == []
    assert followed.events("part")[-1]["inspection"] == part.id
    assert followed.events("part")[-1]["fate"]["by"] == "fallback"
    assert followed.answers.state(part.id)["state"] == "decided"


def test_a_part_that_was_answered_while_the_page_was_away_is_not_asked_again(
    config: Config, line: LineOfTests
) -> None:
    part, other = line.part("answered"), line.part("unsure")
    line.asks(part, other)
    found = follow(config, line)
    found.units()
    for name, said in ((part.id, "reject"), (other.id, "unsure")):
        claim = found.answers.claim("p-1", name)
        found.answers.verdict("p-1", claim.token, name, None, said)
    found.opened.close()
    again = follow(config, line)
    again.units()
    assert again.waiting() == [other.id]
    assert again.answers.state(part.id)["state"] == "answered"
    with pytest.raises(Refused):
        again.answers.claim("p-2", part.id)
    again.opened.close()


def test_escalations_of_an_earlier_boot_get_their_deadline_when_the_line_gives_it_again(
    config: Config, line: LineOfTests
) -> None:
    line.journal.close()
    before = LineOfTests(config.state_dir, boot="an-earlier-boot")
    part = before.part("P-1")
    before.asks(part, within_s=40)
    before.journal.close()
    found = follow(config, before)
    found.units()
    assert [one.left_s for one in found.answers.listed(9)] == [None]
    Journal.open(before.path, line.boot, line.clock.monotonic_ns()).close()
    found.later()
    (left,) = [one.left_s for one in found.answers.listed(9)]
    assert 0 < left <= 40
    found.opened.close()


def test_another_file_in_the_place_of_line_db(followed: Followed) -> None:
    kept, lost = followed.line.part("decided"), followed.line.part("lost")
    followed.line.asks(kept, lost)
    followed.units()
    followed.line.journal.close()
    for path in followed.line.path.parent.glob("line.db*"):
        path.unlink()
    anew = LineOfTests(followed.config.state_dir)
    part = anew.part("new")
    anew.asks(part)
    followed.later()
    assert followed.waiting() == [part.id]
    anew.asks(another := anew.part("newer"))
    followed.units()
    assert followed.waiting() == [part.id, another.id]


def test_the_line_may_come_later(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    opened = open_all(config, False)
    opened.follower.unit()
    line = LineOfTests(config.state_dir)
    line.asks(part := line.part())
    found = Followed(config, line, opened, [])
    found.units()
    assert found.waiting() == [part.id]
    opened.close()


def test_records_that_cannot_be_read_are_said_and_what_waits_stays(followed: Followed) -> None:
    followed.line.asks(part := followed.line.part())
    followed.units()
    followed.line.journal.close()
    whole = followed.line.path.read_bytes()
    followed.line.path.write_bytes(b"no database" * 1000)
    followed.later()
    assert followed.waiting() == [part.id]
    assert followed.opened.shop.line.now.unreadable
    assert followed.opened.status.describe()["state"] == "degraded"
    followed.line.path.write_bytes(whole)
    followed.later()
    assert not followed.opened.shop.line.now.unreadable
    assert followed.waiting() == [part.id]


def test_a_part_whose_record_is_gone_is_asked_about_by_its_copy(
    config: Config, line: LineOfTests
) -> None:
    line.asks(part := line.part("P-1"))
    first = follow(config, line)
    first.later()
    first.opened.close()
    line.journal._database.execute("DELETE FROM records")
    again = follow(config, line)
    again.units()
    assert [one.part_id for one in again.answers.listed(9)] == ["P-1"]
    line.decides(part)
    again.later()
    assert again.waiting() == []
    again.opened.close()
    third = follow(config, line)
    assert third.opened.follower._copies.find(part.id) is None
    third.opened.close()


def test_spot_checks_come_and_go(followed: Followed) -> None:
    drawn, other = followed.line.sure(2, spot_check=DRAWN)
    followed.units()
    assert followed.waiting() == []
    followed.line.draws(drawn, other)
    followed.later()
    assert followed.waiting() == [drawn.id, other.id]
    assert all(one.alone for one in followed.answers.listed(9))
    claim = followed.answers.claim("p-1", drawn.id)
    followed.answers.verdict("p-1", claim.token, drawn.id, None, "accept")
    followed.line.draws()
    followed.later()
    assert followed.waiting() == []


def test_many_that_wait_are_read_in_pieces(config: Config, line: LineOfTests) -> None:
    line.asks(*(line.part(f"P-{number}") for number in range(1200)))
    found = follow(config, line)
    held = []
    while found.opened.follower.unit():
        held.append(len(found.waiting()))
    assert held[:4] == [0, 500, 1000, 1200]
    assert len(found.waiting()) == 1200
    found.opened.close()


def test_what_is_decided_while_what_waits_is_read_is_not_asked(
    config: Config, line: LineOfTests
) -> None:
    parts = [line.part(f"P-{number}") for number in range(700)]
    line.asks(*parts)
    found = follow(config, line)
    found.opened.follower.unit()
    found.opened.follower.unit()
    assert len(found.waiting()) == 500
    line.decides(parts[600])
    found.units()
    assert parts[600].id not in found.waiting()
    assert len(found.waiting()) == 699
    found.opened.close()


@pytest.mark.parametrize("kind", ["check", "challenge"])
def test_what_was_revealed_before_a_restart_cannot_be_undone_after_it(
    config: Config, line: LineOfTests, kind: str
) -> None:
    if kind == "check":
        (part,) = line.sure(1, spot_check=DRAWN)
        line.draws(part)
    else:
        line.asks(part := line.part(tags={"challenge": "c-1"}))
    found = follow(config, line)
    found.later()
    claim = found.answers.claim("p-1", part.id)
    given = found.answers.verdict("p-1", claim.token, part.id, None, "accept")
    assert given.answer is not None
    found.opened.close()
    again = follow(config, line)
    again.later()
    assert again.answers.undo("p-1", given.id).state == "too_late"
    assert again.waiting() == []
    again.opened.close()


def test_nonsense_among_the_records_costs_itself_only(followed: Followed) -> None:
    damaged, part = followed.line.part("damaged"), followed.line.part("sound")
    followed.line.asks(damaged, part)
    followed.line.journal._database.execute(
        "UPDATE records SET body = ? WHERE subject = ?", (b'{"id":', damaged.id)
    )
    followed.units()
    assert followed.waiting() == [part.id]


def test_a_new_record_without_its_id_costs_itself_only(followed: Followed) -> None:
    followed.units()
    damaged, part = followed.line.part("damaged"), followed.line.part("sound")
    followed.line.asks(damaged, part)
    followed.line.journal._database.execute(
        "UPDATE records SET body = replace(body, '\"id\":', '\"ie\":') WHERE subject = ?",
        (damaged.id,),
    )
    followed.units()
    assert followed.waiting() == [part.id]


def test_while_line_db_is_away_what_waits_waits_on(followed: Followed) -> None:
    followed.line.asks(part := followed.line.part())
    followed.units()
    claim = followed.answers.claim("p-1")
    followed.line.journal.close()
    followed.line.path.rename(followed.line.path.with_name("aside.db"))
    followed.later()
    followed.later()
    assert followed.waiting() == [part.id]
    assert followed.answers.verdict("p-1", claim.token, part.id, None, "reject").id
    followed.line.path.with_name("aside.db").rename(followed.line.path)
    followed.later()
    assert followed.answers.state(part.id)["state"] == "answered"


def test_a_damaged_record_costs_itself_only(followed: Followed) -> None:
    line = followed.line
    first, second = line.part("1"), line.part("2")
    line.asks(first, second)
    followed.units()
    line.decides(first)
    line.decides(second)
    line.journal._database.execute(
        "UPDATE records SET body = ? WHERE subject = ? AND schema = 'disposition/1'",
        (b'{"schema": "disposition/1", "inspection": 7}', first.id),
    )
    line.journal.append([], state={"watch.checks": "no json"})
    followed.units()
    assert followed.waiting() == [first.id]
    assert followed.answers.state(second.id)["state"] == "decided"
    assert followed.opened.follower._news.failing is None
    followed.later()
    assert followed.waiting() == [], "the line says that it does not wait"


def test_what_is_known_of_the_line(followed: Followed) -> None:
    shop = followed.opened.shop
    followed.line.lives()
    followed.later()
    assert not shop.line.now.up, "what lies there at first may be old"
    cause = {"what": "the camera is gone", "since": "2026-11-20T12:00:00.000Z"}
    followed.line.lives(state="degraded", causes=[cause], limits=[])
    followed.later()
    assert shop.line.now.up
    assert followed.events("line")[-1]["trouble"][0]["message"] == "the camera is gone"


def test_limits_of_automation_are_no_trouble() -> None:
    causes = [{"what": "no_calibration: none was made"}, {"what": "blind"}, "nonsense"]
    found = alarms({"causes": causes, "limits": ["no_calibration"]})
    assert [one["message"] for one in found] == ["blind"]
    assert alarms({"causes": "x", "limits": None}) == []


def test_answers_that_were_typed_are_taken_by_request(followed: Followed) -> None:
    followed.line.asks(part := followed.line.part())
    followed.units()
    folder = followed.config.state_dir / "requests" / "web"
    said = {"inspection": part.id, "verdict": "reject", "label": "dent", "basis": "part"}
    request = Request(followed.line.clock.new_id(), "verdict", said, "j.doe", "otto")
    for _ in range(2):
        put(folder, request)
        followed.later()
        answer = json.loads((folder / f"{request.id}.answer").read_bytes())
        assert (answer["ok"], answer["id"]) == (True, request.id)
    assert followed.opened.chain.head[1] == 1
    record = followed.opened.chain.verdict(request.id)
    assert (record["by"], record["account"], record["via"]) == ("j.doe", "otto", "command")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"inspection": 7, "verdict": "accept", "basis": "part"},
        {"inspection": "none", "verdict": "accept", "basis": "part"},
        {"inspection": "none", "verdict": "maybe", "basis": "part"},
        {"inspection": "none", "verdict": "accept", "basis": "hearsay"},
    ],
)
def test_requests_that_make_no_sense_are_refused(followed: Followed, said: Any) -> None:
    folder = followed.config.state_dir / "requests" / "web"
    request = Request(followed.line.clock.new_id(), "verdict", said, "j.doe", "otto")
    put(folder, request)
    followed.later()
    assert json.loads((folder / f"{request.id}.answer").read_bytes())["ok"] is False
    assert followed.opened.chain.head[1] == 0


def test_a_round_that_fails_in_whatever_way_ends_no_other() -> None:
    done = []

    def fails() -> None:
        raise KeyError("image")

    Rounds({"fails": fails, "works": lambda: done.append(1)}).run()
    assert done == [1]
