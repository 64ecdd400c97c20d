"""Everything that a person reads on the page, in one file per language."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "texts"
LANGUAGES = ("en", "de")
FIRST = "en"


class Words:
    """The texts of one language: `t("queue.accept")`, `t("time.days", n=3)`.

    Where `n` is 1, or 1 as it is written, a key `<name>_one` beside the name is taken. A text that
    is not there is its own key: a page with an odd word is better than none.
    """

    def __init__(self, language: str, texts: Mapping[str, Any]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, /, **facts: object) -> str:
        """The text with its facts filled in; not escaped: the templates do that."""
        found = self._find(f"{key}_one") if facts.get("n") in (1, "1") else None
        found = self._find(key) if found is None else found
        if found is None:
            return key
        try:
            return found.format(**facts)
        except (KeyError, IndexError, ValueError):
            return found

    def has(self, key: str) -> bool:
        """Whether there is a text under this key."""
        return self._find(key) is not None

    def tree(self, *names: str) -> dict[str, Any]:
        """These parts as they are, for scripts."""
        return {name: self._texts[name] for name in names if name in self._texts}

    def _find(self, key: str) -> str | None:
        place: Any = self._texts
        for name in key.split("."):
            if not isinstance(place, Mapping) or name not in place:
                return None
            place = place[name]
        return place if isinstance(place, str) else None


class Texts:
    """All languages, read once. Raises OSError, ValueError for a file that holds none."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._words = {name: Words(name, _read(folder / f"{name}.yaml")) for name in LANGUAGES}

    def of(self, language: str) -> Words:
        """The texts of a language; the first one's where it is not known."""
        return self._words.get(language, self._words[FIRST])


def _read(path: Path) -> Mapping[str, Any]:
    import yaml

    # the C loader is part of every wheel of PyYAML, and 16 times as fast
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    texts = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    if not isinstance(texts, dict):
        raise ValueError(f"{path} holds no texts")
    return texts


def wanted(accepted: str) -> str:
    """The first known language of an `Accept-Language` header; the first of ours without one."""
    for item in accepted.split(",")[:10]:
        name = item.split(";")[0].strip().lower()[:2]
        if name in LANGUAGES:
            return name
    return FIRST
