"""The pages' files: nothing inline, everything escaped, every control named, no other host."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

import edge.web
from edge.access.person import Person
from edge.web.pages_env import Pages
from edge.web.texts import Texts

WEB = Path(edge.web.__file__).parent
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
SCRIPTS = sorted((WEB / "static").glob("*.js"))
STATIC = {path.name for path in (WEB / "static").iterdir()}
CONTROLS = ("input", "select", "textarea", "button")
HOSTILE = "<script>alert(1)</script>\"'&"
LONGEST_FILE = 300
INLINE = re.compile(r"""\sstyle\s*=|<style|\son[a-z]+=["']|javascript:""")
UNSAFE = re.compile(
    r"(inner|outer)HTML\s*\+?=(?!=)|insertAdjacentHTML|document\.write|\beval\(|new Function"
)
DOOR = ["sign_in.html", "locked.html", "first.html"]
MINE = ["queue.html", *DOOR]
WANTED = {
    "queue.html": (
        "part-number picture accept reject unsure undo skip note waiting left message locked answer"
        " look-toggle who group group-reject group-hold nav-queue nav-line nav-history oldest"
        " because alone part-itself correct mute lock hand-over sign-out banner-offline"
        " banner-stale banner-line banner-take banner-new banner-hand-over demo"
    ),
    "sign_in.html": "sign-in-number sign-in-pin sign-in-go language language-en language-de",
    "locked.html": "locked locked-waiting unlock-pin unlock-go locked-sign-out",
    "first.html": "first-code first-name first-number first-pin first-go",
}


@dataclass
class Control:
    """A control as it is read: its own words, its attributes, whether it lies in a label."""

    tag: str
    attributes: dict[str, str]
    labelled: bool
    words: str = ""


@dataclass
class Reader(HTMLParser):
    """What the tests want to know of a page."""

    controls: list[Control] = field(default_factory=list)
    labels_for: set[str] = field(default_factory=set)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tests: set[str] = field(default_factory=set)
    _labels: int = 0
    _button: Control | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        self.attributes += [(tag, name, value) for name, value in found.items()]
        if "id" in found:
            self.ids.append(found["id"])
        self.tests.add(found.get("data-test", ""))
        if tag == "label":
            self._labels += 1
            self.labels_for.add(found.get("for", ""))
        if tag in CONTROLS and found.get("type") != "hidden":
            self.controls.append(Control(tag, found, self._labels > 0))
            self._button = self.controls[-1] if tag == "button" else self._button

    def handle_endtag(self, tag: str) -> None:
        self._labels -= tag == "label"
        self._button = None if tag == "button" else self._button

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._button.words += data.strip()

    def named(self, control: Control) -> bool:
        """Whether a screen reader has something to say of it."""
        own = control.attributes
        return bool(
            control.words
            or control.labelled
            or own.get("aria-label")
            or own.get("aria-labelledby")
            or own.get("id", "-") in self.labels_for
        )


def page(template: str, language: str = "en", name: str = "Otto", **values: object) -> str:
    t = Texts().of(language)
    person = None if template in DOOR else Person("p-00000001", name, "12", "lead", "en")
    given = {
        "t": t,
        "language": language,
        "person": person,
        "csrf": "token",
        "station": "plant/line/station",
        "version": "1",
        "page": template.removesuffix(".html").replace("_", "-"),
        "demo": "SIMULATED",
        "config": {"lock_after_s": 300, "lease_s": 45, "undo_s": 2, "time_zone": "UTC"},
        "wrong": None,
        "waiting": 3,
        "given": {},
    }
    return Pages()._environment.get_template(template).render(given | values)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def sources() -> Iterator[tuple[str, str]]:
    for path in TEMPLATES:
        without_comments = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.S)
        yield path.name, without_comments


def test_nothing_is_inline():
    for name, source in sources():
        assert not INLINE.search(source), name
        for script in re.findall(r"<script\b[^>]*>", source):
            own = 'src="/static/' in script or 'type="application/json"' in script
            assert own, f"{name}: {script}"


def test_nothing_is_left_unescaped():
    for name, source in sources():
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", source), name


def test_nothing_comes_from_anywhere_else():
    for path in [*TEMPLATES, *SCRIPTS, *(WEB / "static").glob("*.css")]:
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|['\"(]//|@import", source), path.name


def test_scripts_put_no_text_into_the_page_as_html():
    for path in SCRIPTS:
        source = path.read_text(encoding="utf-8")
        assert not UNSAFE.search(source), path.name


def test_what_pages_and_scripts_load_is_there():
    for path in [*TEMPLATES, *SCRIPTS]:
        source = path.read_text(encoding="utf-8")
        loaded = re.findall(r'"/static/([^"]+)"', source)
        loaded += re.findall(r"(?:from|import\(?)\s*'\./([^']+)'", source)
        missing = {name for name in loaded if name not in STATIC and "NAME" not in name}
        assert not missing, path.name


def test_scripts_and_sheets_are_small():
    for path in [*SCRIPTS, *(WEB / "static").glob("*.css")]:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, path.name


def test_every_drawing_that_is_used_is_drawn():
    drawn = (WEB / "templates" / "icons.html").read_text(encoding="utf-8")
    names = {name for _, source in sources() for name in re.findall(r'icon\("([\w-]+)"\)', source)}
    assert names
    assert not [name for name in names if f'name == "{name}"' not in drawn]


def test_what_the_queue_s_scripts_reach_for_is_on_its_page():
    ids, todo, seen = set(read(page("queue.html")).ids), ["app.js", "queue.js"], set()
    while todo:
        script = todo.pop()
        seen.add(script)
        source = (WEB / "static" / script).read_text(encoding="utf-8")
        assert not set(re.findall(r"\bpart\('([\w-]+)'\)", source)) - ids, script
        todo += set(re.findall(r"from '\./([\w]+\.js)'", source)) - seen - set(todo)
    assert "gate.js" in seen


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("template", MINE)
def test_every_control_has_a_name_and_every_picture_its_text(template, language):
    found = read(page(template, language))
    assert found.controls
    assert not [one for one in found.controls if not found.named(one)]
    assert not [own for tag, own in found.tags if tag == "img" and "alt" not in own]
    assert [own["lang"] for tag, own in found.tags if tag == "html"] == [language]


@pytest.mark.parametrize("template", MINE)
def test_a_page_has_what_tests_and_aids_look_for(template):
    found = read(page(template))
    assert not set(WANTED[template].split()) - found.tests
    tags = Counter(tag for tag, _ in found.tags)
    assert (tags["main"], tags["h1"]) == (1, 1)
    assert not [name for name, often in Counter(found.ids).items() if often > 1]


def test_buttons_that_answer_are_dead_until_the_scripts_say_otherwise():
    found = read(page("queue.html"))
    state = [own["data-state"] for tag, own in found.tags if tag == "body"]
    assert state == ["dead"]
    acts = [one.attributes for one in found.controls if "act" in one.attributes.get("class", "")]
    assert {own["id"] for own in acts} >= {"accept", "reject", "unsure", "skip", "group-reject"}
    assert all(own["aria-disabled"] == "true" and own["type"] == "button" for own in acts)


def test_hostile_names_are_only_text():
    text = page("queue.html", name=HOSTILE, station=HOSTILE, demo=HOSTILE)
    assert "<script>alert" not in text
    first = page("first.html", given={"name": HOSTILE, "number": HOSTILE}, wrong=HOSTILE)
    assert "<script>alert" not in first
    values = [
        value for tag, name, value in read(first).attributes if (tag, name) == ("input", "value")
    ]
    assert HOSTILE in values


def test_no_name_is_on_a_page_before_signing_in():
    for template in DOOR:
        text = page(template, name="Otto Operator")
        assert "Otto" not in text
        assert 'data-test="who"' not in text


def test_the_texts_for_scripts_are_whole_and_cannot_end_their_block():
    text = page("queue.html", station="</script><b>")
    blocks = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S)
    setup, *texts = [json.loads(block) for block in blocks]
    assert setup["station"] == "</script><b>"
    assert set().union(*texts) >= {"queue", "answered", "refused", "doubt", "time", "group", "fate"}


def test_forms_carry_the_token():
    for template in MINE:
        source = page(template)
        for form in re.findall(r'<form[^>]*method="post".*?</form>', source, re.S):
            assert 'name="csrf" value="token"' in form, template
