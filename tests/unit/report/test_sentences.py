"""Sentences: one file per code, readable without one, the same keys and blanks in every language."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from opentpe.report import sentences

SOURCE = Path(sentences.__file__).parent
ENGLISH = sentences.load("en")


def test_a_code_without_a_sentence_reads_as_words():
    """A missing sentence never stops a report."""
    assert ENGLISH.say("reason.old_deficit_same_territory") == "old deficit same territory"


def test_a_missing_value_reads_not_recorded():
    """A blank that nobody fills says so."""
    assert ENGLISH.say("report.age") == "not recorded years"


@pytest.mark.parametrize("language", sentences.LANGUAGES)
def test_a_code_lives_in_one_file_only(language):
    """Two authors cannot say the same thing differently."""
    codes = [code for _, code, _ in sentences.entries(SOURCE / "sentences" / language)]
    assert [c for c, count in Counter(codes).items() if count > 1] == []


def test_every_code_written_in_the_report_has_a_sentence():
    """`say("…")` with a fixed code must find its sentence."""
    missing = []
    for file in sorted(SOURCE.rglob("*.py")):
        for code in re.findall(r'\bsay\(\s*"([a-z_.0-9]+)"', file.read_text()):
            if not ENGLISH.has(code):
                missing.append(f"{file.name}: {code}")
    assert missing == []


def _translated():
    return [
        pytest.param(language, file.name, id=f"{language}/{file.name}")
        for language in sentences.LANGUAGES[1:]
        for file in sorted((SOURCE / "sentences" / language).glob("*.toml"))
    ]


def _tables(language, name):
    return dict(sentences._flat(tomllib.loads((SOURCE / "sentences" / language / name).read_text()), ""))


@pytest.mark.parametrize(("language", "name"), _translated())
def test_a_translation_has_the_same_codes_and_the_same_blanks(language, name):
    """What is filled in English is filled in German and Spanish, no more and no less."""
    english, other = _tables("en", name), _tables(language, name)
    assert set(english) == set(other)
    for code, table in english.items():
        for part in table:
            assert sentences.placeholders(table[part]) == sentences.placeholders(other[code][part]), code


def test_no_sentence_raises_its_voice():
    """No exclamation marks, and ranges are written with "to"."""
    loud = [c for language in sentences.LANGUAGES for c, t in sentences.load(language).texts.items() if "!" in t]
    dashed = [c for c, t in ENGLISH.texts.items() if re.search(r"\d[–-]\d", t)]
    assert (loud, dashed) == ([], [])


def test_a_document_is_written_in_one_language():
    """The leaflet speaks German; the report has no German file and is English throughout."""
    assert sentences.spoken("leaflet", "de") == "de"
    assert sentences.spoken("report", "de") == "en"
    assert sentences.spoken("leaflet", "xx") == "en"


def test_a_sentence_ends_with_one_full_stop():
    """A German short date ends with a full stop of its own."""
    text = sentences.load("de").say("leaflet.day.days", {"count": 1, "days": "Mo, 20. Apr."})
    assert text.endswith("Apr.")
    assert not text.endswith("..")
