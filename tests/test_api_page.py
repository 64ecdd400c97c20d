"""`docs/api.md`, what operations say of the page, and the sources say the same."""

import re
import typing

import pytest

from edge.access import denied
from edge.access.person import NEEDS
from edge.review import refusal
from edge.review.case import case_of
from edge.review.waiting import Claim, Listed, Waiting
from edge.web.api.shown import case
from edge.web.following import counted
from edge.web.line_state import Known
from edge.web.opening import open_all
from edge.web.pictures import LONGEST
from edge.web.routes import ROUTES
from tests.edge.web.parts import LineOfTests
from tests.edge.web.station import config_in
from tests.pages import keys, rows, section, text

PAGE = text("docs/api.md")
FOR_PROGRAMS = [rule for rule in ROUTES if rule.path.startswith(("/api/", "/events"))]
TOLD = {
    (row[0], row[1].strip("`")): row[2].strip("`")
    for row in (
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in re.findall(r"^\| (?:GET|POST|DELETE|PUT) \|.*$", PAGE, re.M)
    )
}
WORDS = {"": ("known",), "anybody": ("anyone",), "persons": ("answer",), "leads": ("camera",),
         "engineers": ("degree",)}  # fmt: skip


def test_every_route_is_on_the_page_and_every_one_there_exists():
    assert set(TOLD) == {(rule.method, rule.path) for rule in FOR_PROGRAMS}


@pytest.mark.parametrize("rule", FOR_PROGRAMS, ids=lambda rule: f"{rule.method} {rule.path}")
def test_the_right_that_it_needs(rule):
    told = TOLD[rule.method, rule.path]
    assert rule.needs in WORDS.get(told, (told,))
    if told in ("leads", "engineers"):
        assert NEEDS[rule.needs] == told.rstrip("s")
    assert rule.machines == (told not in ("persons", "leads", "engineers"))


def test_the_codes_of_refusals_with_their_status():
    table = rows(section(PAGE, "Refusals"))
    told = {}
    for row in table:
        codes, statuses = re.findall(r"`(\w+)`", row[0]), re.findall(r"\d{3}", row[1])
        for place, code in enumerate(codes):
            told[code] = statuses if len(codes) == 1 else [statuses[min(place, len(statuses) - 1)]]
    theirs = {code: {str(status)} for code, status in denied.STATUS.items()}
    for code, status in refusal.STATUS.items():
        theirs.setdefault(code, set()).add(str(status))
    assert set(told) == {*theirs, "failed"}
    assert {code: set(told[code]) for code in theirs} == theirs
    assert set(typing.get_args(refusal.Code)) <= set(told)


def test_the_members_of_the_overview():
    shown = re.search(r'^\{"waiting".*?\n```', PAGE, re.S | re.M)
    assert shown
    counts = counted(Waiting(0, 0, 0, None, None, False))
    for name in (*counts, *Known().as_json(), "groups", "items", "hand_over"):
        assert f'"{name}"' in shown[0]
    for name in Listed.__dataclass_fields__:
        assert f'"{name}"' in shown[0]


def test_the_members_of_a_case(tmp_path):
    line = LineOfTests(tmp_path)
    made = line.part("P-1")
    record = {**made.content(), "epoch": "e", "seq": 1}
    claim = Claim("t", case_of(record, "escalation"), 45.0, "", None, True)
    shop = type("Shop", (), {"types": (), "config": config_in(tmp_path)})
    told = set(keys(section(PAGE, "The queue")))
    assert set(case(typing.cast(typing.Any, shop), claim)) <= told


def test_sizes_of_pictures():
    for size in set(LONGEST) - {"screen"}:
        assert f"size={size}" in PAGE


def test_fields_of_the_status_of_the_page(tmp_path):
    opened = open_all(config_in(tmp_path), False)
    try:
        told = set(keys(section(text("docs/operations.md"), "The page's status file"))) - {"web"}
        assert told == set(opened.status.describe())
    finally:
        opened.close()
