"""One Chromium for all; a plant and tablets for each test module."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.persons import PERSONS
from tests.browser.plant import Plant
from tests.browser.tablet import Tablet

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-pings",
    # no name has an address: even a mistake in the page reaches nobody
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here drive a Chromium."""
    missing = pytest.mark.skip(reason="there is no Chromium here (apt install chromium)")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(missing)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One for all tests here; each tablet has a context of its own in it.

    It ends with this package: while Playwright runs, no other test of the thread may use asyncio.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


MakePlant = Callable[..., Plant]
MakeTablet = Callable[..., Tablet]


@pytest.fixture(scope="module")
def make_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakePlant]:
    """Makes plants with persons; services that were started end with the module."""
    yield from _plants(tmp_path_factory)


@pytest.fixture(scope="package")
def usual_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """The one at which most modules work: short leases, some seconds for undo."""
    for make in _plants(tmp_path_factory):
        yield make("run", "web", web={"lease_s": 8}, escalation={"deadline_s": 3600, "undo_s": 4})


@pytest.fixture(scope="package")
def blurred_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """One at which every picture is in doubt, for one cause."""
    camera = {"source": "synthetic", "width": 320, "height": 240, "parts_per_second": 4.0}
    for make in _plants(tmp_path_factory):
        yield make("run", "web", camera={**camera, "doubts": {"blurred_below": 1e9}})


def _plants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakePlant]:
    made: list[Plant] = []

    def make(*services: str, persons: bool = True, **sections: Any) -> Plant:
        plant = Plant(tmp_path_factory.mktemp("plant"), **sections)
        made.append(plant)
        if persons:
            plant.settle()
        return plant.start(*services)

    yield make
    for plant in made:
        plant.remove()


@pytest.fixture
def tablet(chromium: Browser, plant: Plant) -> Iterator[MakeTablet]:
    """Makes tablets at the module's `plant`, signed in as one of PERSONS if one is named; `anew`
    where an earlier session of that person will not do.

    Afterwards none of them may have had any trouble.
    """
    made: list[Tablet] = []

    def make(
        person: str | None = None,
        path: str = "/queue",
        address: str = "",
        anew: bool = False,
        **context: Any,
    ) -> Tablet:
        kept = None if anew or person is None else plant.sessions.get(person)
        one = Tablet(chromium, address or plant.address, storage_state=kept, **context)
        made.append(one)
        if kept is not None:
            one.page.goto(path)
        elif person is not None:
            one.sign_in(PERSONS[person].number, plant.pins[person], path)
            if not anew:
                plant.sessions[person] = one.context.storage_state()
        return one

    yield make
    troubles = [trouble for one in made for trouble in one.troubles]
    for one in made:
        one.close()
    assert not troubles, plant.said()
