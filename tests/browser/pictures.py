"""Takes the screenshots of the README: a demo, a real Chromium, and somebody who answers.

`make screenshots` runs it; nothing is staged but the time at which a picture is taken.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import urllib.request
from functools import partial
from pathlib import Path

import yaml
from playwright.sync_api import Browser, sync_playwright

from edge.cli.errors import say
from edge.config_file import load
from edge.demo import show
from edge.demo.children import Children
from edge.demo.joining import Joining, join
from edge.demo.operators import Operators
from edge.demo.station import ALLOWED_S, DemoStation, find_mosquitto, prepare
from tests.browser.palette import reduced
from tests.browser.tablet import Tablet
from tests.simulators.patience import until

OUT = Path(__file__).parents[2] / "docs" / "images"
AIM, LARGEST = 200_000, 300_000
OPERATORS = 2
ANSWERS = 4
PARTS_MS = 45_000
DUSK, DUSK_MS = -10.0, 90_000
QUIET = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars")


def main() -> None:
    """Write all pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        say("there is no Chromium here (apt install chromium)")
        sys.exit(1)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*QUIET])
        station = prepare(Path(scratch, "demo"), 2.0, find_mosquitto() is not None)
        _demo(browser, station)
        _dusk(browser, station)
        browser.close()


def _demo(browser: Browser, station: DemoStation) -> None:
    config = load(station.config_file)
    show.calibrate(config)
    joining = join(config, station.address, OPERATORS, "en")
    line_db = config.state_dir / "line.db"
    with Children(station) as children:
        children.start()
        with Operators(line_db, station.web_port, joining.tokens, ALLOWED_S):
            tablet = _tablet(browser, joining)
            tablet.page.wait_for_timeout(PARTS_MS)  # some history for the figures
            _answers(tablet)
            _look(tablet)
            _take(tablet, "queue")
            for name in ("line", "camera", "history"):
                tablet.page.goto(f"/{name}")
                tablet.page.wait_for_timeout(2500)
                _take(tablet, name)
            _language(tablet, "de")
            _answers(tablet)
            _take(tablet, "queue-de")
            _language(tablet, "en")
            tablet.ready()
            tablet.test("who").tap()
            tablet.test("lock").tap()
            tablet.wait_text("locked-waiting", "[0-9]")
            _take(tablet, "locked")
            tablet.close()


def _dusk(browser: Browser, station: DemoStation) -> None:
    """The same line, whose lamp goes out slowly: many parts of one cause."""
    settings = yaml.safe_load(station.config_file.read_text())
    settings["camera"]["drift"] = DUSK
    station.config_file.write_text(yaml.safe_dump(settings))
    joining = join(load(station.config_file), station.address, 0, "en")
    with Children(station) as children:
        children.start()
        tablet = _tablet(browser, joining)
        tablet.context.set_default_timeout(DUSK_MS)
        tablet.wait_text("banner-group", r"\b(2[4-9]|[3-9]\d) × ")
        tablet.test("group-open").first.tap()
        tiles = tablet.test("group-part")
        for number in (0, 1, 2, 5):
            tiles.nth(number).tap()
        tablet.page.wait_for_timeout(1000)
        _take(tablet, "group")
        tablet.close()


def _tablet(browser: Browser, joining: Joining) -> Tablet:
    """A tablet that has signed in, as soon as the page answers."""
    tablet = Tablet(browser, joining.address)
    until(partial(_answers_at, joining.address), partial(tablet.page.wait_for_timeout, 200))
    tablet.sign_in(joining.number, joining.pin)
    return tablet


def _answers_at(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/v1/health", timeout=5):
            return True
    except OSError:
        return False


def _answers(tablet: Tablet) -> None:
    for number in range(ANSWERS):
        shown = tablet.ready()
        tablet.test("reject" if number % 2 else "accept").tap()
        tablet.next_part(shown)


def _look(tablet: Tablet) -> None:
    """Where the model looked, once it is worked out."""
    if tablet.test("look-toggle").is_visible():
        tablet.test("look-toggle").tap()
        tablet.page.wait_for_timeout(4000)


def _language(tablet: Tablet, language: str) -> None:
    tablet.page.goto("/settings")
    tablet.test(f"language-{language}").tap()
    tablet.test("done").wait_for()
    tablet.page.goto("/queue")


def _take(tablet: Tablet, name: str) -> None:
    picture = reduced(tablet.page.screenshot(), AIM)
    assert len(picture) <= LARGEST, f"{name}: {len(picture)} bytes"
    (OUT / f"{name}.png").write_bytes(picture)
    say(f"wrote {OUT / name}.png, {len(picture)} bytes; troubles: {tablet.troubles}")


if __name__ == "__main__":
    main()
