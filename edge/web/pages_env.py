"""Pages from templates. Everything is escaped; nothing is fetched from anywhere else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from edge import __version__
from edge.access.person import Person
from edge.web.texts import FIRST, LANGUAGES, Words, wanted

if TYPE_CHECKING:
    from edge.config import Config
    from edge.web.call import Call
    from edge.web.shop import Shop

FOLDER = Path(__file__).parent / "templates"
LANGUAGE_COOKIE = "language"
"""Chosen on the page for signing in, before anybody is known."""


class Pages:
    """Draws templates. Thread-safe.

    Every template is given `t`, `language`, `person` (None without one, or where the session is
    locked), `csrf`, `station`, `version`, `page`, `demo`, `config`; base.html says what they are.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            auto_reload=False,
        )

    def page(
        self, call: Call, template: str, status: int = 200, /, **values: object
    ) -> HTMLResponse:
        """The page of `template`. `values` may replace what every page is given."""
        given = {**self._usual(call, template.removesuffix(".html")), **values}
        text = self._environment.get_template(template).render(given)
        return HTMLResponse(text, status, {"Cache-Control": "no-store"})

    def _usual(self, call: Call, name: str) -> dict[str, Any]:
        config, words = call.shop.config, words_of(call)
        locked = call.session is not None and call.session.locked
        person = call.who if isinstance(call.who, Person) and not locked else None
        return {
            "t": words,
            "language": words.language,
            "person": person,
            "csrf": None if call.session is None else call.session.csrf,
            "station": config.station.path,
            "version": __version__,
            "page": name.replace("_", "-"),
            "demo": _simulated(call.shop, words, person is not None),
            "config": for_scripts(call.shop),
        }


def for_scripts(shop: Shop) -> dict[str, object]:
    """What the pages' scripts are told of the configuration."""
    config = shop.config
    return {
        "lock_after_s": config.web.lock_after_s,
        "lease_s": config.web.lease_s,
        "undo_s": config.escalation.undo_s,
        "time_zone": config.station.time_zone,
        "roi": config.camera.roi,
        "frame": _frame(config),
    }


def _simulated(shop: Shop, words: Words, inside: bool) -> str | None:
    """What every page of a simulated line says of itself, and which programs answer there."""
    if shop.config.camera.source != "synthetic":
        return None
    programs = [one.machine.name for one in shop.machines.all() if one.machine.may("answer")]
    said = [words("app.simulated")]
    if inside and programs:
        said.append(words("app.programs", names=", ".join(programs)))
    return " · ".join(said)


def _frame(config: Config) -> tuple[int, int] | None:
    """Width and height of a whole picture, where the configuration says them."""
    width = getattr(config.camera, "width", None)
    height = getattr(config.camera, "height", None)
    return None if width is None or height is None else (width, height)


def words_of(call: Call) -> Words:
    """The texts in the language of whoever asks."""
    return call.shop.texts.of(language_of(call))


def language_of(call: Call) -> str:
    """The person's own, else the one chosen at the door, else the browser's."""
    if isinstance(call.who, Person):
        return call.who.language
    chosen = call.request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    return wanted(call.request.headers.get("accept-language", FIRST))
