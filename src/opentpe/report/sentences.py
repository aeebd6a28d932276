"""Every sentence a person reads, by code and language; no sentence lives in logic.

A file holds tables `[code]` with `text` and, where a line has a heading of its own, `label`. Dots in a code nest:
`[risk.nausea]` is the code `risk.nausea`. All files of a language are read as one; a code lives in one file only.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import tomli

from opentpe.report import words_of_numbers as words

ROOT: Final = Path(__file__).parent / "sentences"
_FULL_STOPS: Final = re.compile(r"(?<!\.)\.\.(?!\.)")
LANGUAGES: Final = ("en", "de", "es")


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of one language; English stands in for a code the language does not have."""

    language: str
    texts: Mapping[str, str]
    labels: Mapping[str, str]
    numbers: words.Numbers

    def has(self, code: str) -> bool:
        """True where a sentence is written for the code."""
        return code in self.texts

    def say(self, code: str, values: Mapping[str, Any] | None = None) -> str:
        """The sentence of a code with its values filled in; the code in readable form where there is none."""
        if code not in self.texts:
            return self.plain(code)
        text = _Filler(self).vformat(self.texts[code], (), values or {})
        return _FULL_STOPS.sub(".", text)  # "am 20. Apr." at the end of a sentence

    def first(self, codes: tuple[str, ...], values: Mapping[str, Any] | None = None) -> str:
        """The first of several codes that has a sentence; the last in readable form where none has."""
        return self.say(next((c for c in codes if self.has(c)), codes[-1]), values)

    def label(self, code: str) -> str:
        """The heading of a line, empty where it has none."""
        return self.labels.get(code, "")

    def word(self, kind: str, name: str) -> str:
        """The words for a name of the vocabulary: `word("solute", "igg")` is "IgG"."""
        return self.say(f"{kind}.{name}") if self.has(f"{kind}.{name}") else self.plain(name)

    def plain(self, code: str) -> str:
        """A code as a person would read it: `fact.old_deficit` becomes "old deficit"."""
        return code.rsplit(".", 1)[-1].replace("_", " ")

    def value(self, value: Any, spec: str = "") -> str:
        """A filled-in value: numbers, dates and yes or no in this language, coded answers in words."""
        if isinstance(value, bool):
            return self.say("word.yes" if value else "word.no")
        if value is None:
            return self.say("word.not_recorded")
        if isinstance(value, str):
            return self.say(f"word.{value}") if self.has(f"word.{value}") else _spaced(value)
        return words.written(value, spec, self.numbers)


def _spaced(value: str) -> str:
    return value.replace("_", " ") if value.replace("_", "").isalnum() and value.islower() else value


class _Filler(string.Formatter):
    """Fills `{name}` and `{name:spec}`; a name without a value reads "not recorded", never a crash."""

    def __init__(self, sentences: Sentences) -> None:
        self._sentences = sentences

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:  # noqa: ARG002 - signature of string.Formatter
        return kwargs.get(str(key))

    def format_field(self, value: Any, format_spec: str) -> str:
        return self._sentences.value(value, format_spec)


def opening(text: str) -> str:
    """A text as it stands at the beginning of a sentence or a line: with a capital."""
    return text[:1].upper() + text[1:]


def placeholders(text: str) -> frozenset[str]:
    """The names a sentence wants filled."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def read(folder: Path) -> dict[str, dict[str, str]]:
    """Code -> table of all files in a language's folder; the first file by name wins."""
    found: dict[str, dict[str, str]] = {}
    for _, code, table in entries(folder):
        found.setdefault(code, table)
    return found


def entries(folder: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """File, code and table of everything a folder says, by file name."""
    for file in sorted(folder.glob("*.toml")):
        for code, table in _flat(tomli.loads(file.read_text(encoding="utf-8")), ""):
            yield file.name, code, table


def _flat(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, dict[str, str]]]:
    for name, child in node.items():
        here = f"{path}.{name}" if path else name
        if isinstance(child, Mapping):
            own = {k: v for k, v in child.items() if isinstance(v, str)}
            if "text" in own:
                yield here, own
            yield from _flat({k: v for k, v in child.items() if isinstance(v, Mapping)}, here)


def spoken(document: str, language: str) -> str:
    """The language a document can be written in: the one asked for if its file is there, English otherwise.

    A page half in German would mislead; the leaflet is there in all languages, the report in English.
    """
    return language if (ROOT / language / f"{document}.toml").is_file() else "en"


@lru_cache(maxsize=8)
def load(language: str = "en") -> Sentences:
    """All sentences of a language, English beneath it; an unknown language is English."""
    tables = read(ROOT / "en")
    if language != "en" and language in LANGUAGES:
        tables |= read(ROOT / language)
    texts = {code: t["text"] for code, t in tables.items()}
    labels = {code: t["label"] for code, t in tables.items() if "label" in t}
    used = language if language in LANGUAGES else "en"
    return Sentences(used, texts, labels, words.numbers(texts))
