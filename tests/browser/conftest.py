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
    """Makes tablets at the module's `plant`, signed in as one of PERSONS if one is named.

    Afterwards none of them may have had any trouble.
    """
    made: list[Tablet] = []

    def make(
        person: str | None = None, path: str = "/queue", address: str = "", **context: Any
    ) -> Tablet:
        one = Tablet(chromium, address or plant.address, **context)
        made.append(one)
        if person is not None:
            one.sign_in(PERSONS[person].number, plant.pins[person], path)
        return one

    yield make
    troubles = [trouble for one in made for trouble in one.troubles]
    for one in made:
        one.close()
    assert not troubles, plant.said()
