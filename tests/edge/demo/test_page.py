"""The simulated operators' side of the API, at a real service."""

import os
import signal
import subprocess
import sys

import pytest

from edge.config_file import load
from edge.demo.joining import join
from edge.demo.operator import Asked
from edge.demo.page import NoPage, Page
from edge.demo.station import free_port, prepare
from edge.store.archive import Archive
from tests.simulators.patience import beside, until

PARTS = 6


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo's station with some parts that wait, its page, and the token of one operator."""
    folder = tmp_path_factory.mktemp("demo")
    station = prepare(folder / "demo", 5.0, with_broker=False)
    config = load(station.config_file)
    joining = join(config, station.address, 2, "en")
    command = [sys.executable, "-m", "edge"]
    with open(folder / "log", "wb") as log:
        more = {"stdout": log, "stderr": log}
        words = ["--config", str(station.config_file)]
        subprocess.run([*command, "run", "--parts", str(PARTS), *words], check=True, **more)
        web = subprocess.Popen([*command, "web", *words], **more)
        pages = [Page(station.web_port, token) for token in joining.tokens]
        until(lambda: answers(pages[0]), beside(web))
        yield pages, Archive(config.state_dir / "queue.db")
        web.send_signal(signal.SIGTERM)
        web.wait(30)


def answers(page):
    try:
        return len(list(page.waiting())) == PARTS
    except NoPage:
        return False


def test_a_part_that_one_has_is_not_given_to_another_and_answered_once(demo):
    (one, other), queue = demo
    first, second, *_ = one.waiting()
    assert first.left_s is not None
    taken = one.claim(first.inspection)
    assert taken.inspection == first.inspection
    assert other.claim(first.inspection) is None
    assert [part.claimed for part in other.waiting()][:2] == [True, False]
    assert not other.answer(Asked("no claim", first.inspection, taken.picture), "accept", None)
    assert one.answer(taken, "reject", None)
    assert not one.answer(taken, "accept", None)
    (row,) = [row for row in queue.rows(0, 1000, 1 << 24) if b"verdict/1" in row.body]
    assert b'"verdict":"reject"' in row.body
    assert second.inspection in {part.inspection for part in other.waiting()}


def test_a_token_that_is_none_is_no_operator(demo):
    (one, _), _ = demo
    with pytest.raises(NoPage):
        list(Page(one.port, "ei_" + os.urandom(16).hex()).waiting())


def test_a_page_that_is_not_there_says_so():
    with pytest.raises(NoPage):
        list(Page(free_port(), "ei_x").waiting())
