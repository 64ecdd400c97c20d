"""The texts of the pages: every language has all of them, and all of them are used."""

import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import edge.web
from edge.access import denied
from edge.access.person import ROLES
from edge.records import Reason
from edge.review import refusal
from edge.web.texts import FOLDER, LANGUAGES, Texts, wanted

WEB = Path(edge.web.__file__).parent
SOURCES = {
    path: path.read_text(encoding="utf-8")
    for pattern in ("templates/*.html", "static/*.js", "**/*.py", "../telling.py")
    for path in sorted(WEB.glob(pattern))
}
NAMED = r"""["'`]([a-z][\w-]*(?:\.[\w-]+)+)["'`]"""
ASKED = re.compile(rf"(?:\bt|\bwords|\bwords_of\(call\)|\bwords_of)\(\s*{NAMED}")
BEGUN = re.compile(r"""["'`]((?:[a-z][\w-]*\.)+\w*)(?:["'`]\s*~|\$\{|\{)""")
SAID = ("accept", "reject", "unsure", "hold")
NARROW = {f"{group}.": {f"{group}.{one}" for one in SAID} for group in ("queue", "answered")}
"""What follows these beginnings is what a person said, and nothing else."""
GROUPED = re.compile(r"""\bnamed\(\s*["']([a-z][\w.]*)["']""")
DOUBTS = Path(__file__).parents[3] / "docs" / "wire-format.md"


def flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in tree.items():
        assert isinstance(name, str), f"{above}{name!r} is no text: quote it"
        if isinstance(value, dict):
            yield from flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


TEXTS = {
    name: dict(flat(yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))))
    for name in LANGUAGES
}
ENGLISH = TEXTS["en"]


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def found(pattern: re.Pattern[str]) -> set[tuple[str, str]]:
    return {(path.name, key) for path, source in SOURCES.items() for key in pattern.findall(source)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys(language):
    assert TEXTS[language].keys() == ENGLISH.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_says_something_and_is_a_text(language):
    assert not [key for key, text in TEXTS[language].items() if not isinstance(text, str)]
    assert not [key for key, text in TEXTS[language].items() if not str(text).strip()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_fill_in_the_same_facts(language):
    differ = [
        key for key, text in TEXTS[language].items() if blanks(str(text)) != blanks(ENGLISH[key])
    ]
    assert not differ


def test_a_text_for_one_stands_beside_the_text_for_many():
    assert not [key for key in ENGLISH if key.endswith("_one") and key[:-4] not in ENGLISH]


def test_what_is_asked_for_is_there():
    assert not {(where, key) for where, key in found(ASKED) if key not in ENGLISH}


def test_what_is_put_together_begins_like_something_that_is_there():
    begun = {(where, key) for where, key in found(BEGUN) if key.split(".")[0] in TOPS}
    assert begun
    assert not {
        (where, key) for where, key in begun if not any(one.startswith(key) for one in ENGLISH)
    }


def test_groups_that_are_asked_for_know_what_to_say_of_the_unknown():
    groups = found(GROUPED)
    assert groups
    unknown = {(where, name) for where, name in groups if not any_of(name)}
    assert not unknown


def any_of(group: str) -> bool:
    return any(key.startswith(f"{group}.") for key in ENGLISH)


def test_nothing_is_there_for_nobody():
    whole = {key for _, key in found(re.compile(NAMED))}.union(*NARROW.values(), {"language"})
    begun = {key for _, key in found(BEGUN)} | {f"{key}." for _, key in found(GROUPED)}
    wide = tuple(begun - NARROW.keys())
    named = {key for key in ENGLISH if key.removesuffix("_one") in whole or key.startswith(wide)}
    assert not ENGLISH.keys() - named


TOPS = {key.split(".")[0] for key in ENGLISH}


def test_every_refusal_has_its_words():
    assert not [code for code in get_args(refusal.Code) if f"refused.{code}" not in ENGLISH]
    assert not [code for code in get_args(denied.Code) if f"denied.{code}" not in ENGLISH]


def test_every_reason_doubt_and_role_has_its_words():
    table = DOUBTS.read_text(encoding="utf-8").split("### Doubts")[1].split("## ")[0]
    doubts = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert len(doubts) > 10
    for group in ("doubt", "cause", "advice"):
        assert not [name for name in (*doubts, "other") if f"{group}.{name}" not in ENGLISH]
    for group in ("reason", "cause", "advice"):
        assert not [name for name in get_args(Reason) if f"{group}.{name}" not in ENGLISH]
    assert not [name for name in ROLES if f"role.{name}" not in ENGLISH]


def test_a_text_is_filled_in_and_one_is_not_many():
    t = Texts().of("en")
    assert t("queue.wait", n=3) == "3 wait"
    assert t("queue.wait", n=1) == "1 waits"
    assert t("line.records", n="1") == "1 record", "pages fill in a number as it is written"
    assert t("no.such.key") == "no.such.key"


def test_an_unknown_language_is_read_in_the_first():
    assert Texts().of("fr")("queue.accept") == ENGLISH["queue.accept"]
    assert wanted("fr-FR,de;q=0.8,en;q=0.5") == "de"
    assert wanted("") == "en"
