"""Three published readability formulas, each small: grade (English), grade (German), ease (Spanish)."""

import re

_VOWELS = {"en": "aeiouy", "de": "aeiouyäöü", "es": "aeiouáéíóúü"}


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text)


def sentences_of(text: str) -> int:
    return max(len(re.findall(r"[.?:]+(?=\s|$)", text)), 1)


def syllables(word: str, language: str) -> int:
    """Vowel groups; no silent final e in English, strong vowels part in Spanish."""
    word = word.lower()
    groups = re.findall(f"[{_VOWELS[language]}]+", word)
    count = len(groups)
    if language == "en" and re.search(r"[^aeiouyl]e$", word) and count > 1:
        count -= 1
    if language == "es":
        count += sum(len(re.findall(r"(?=[aeoáéó][aeoáéó])|(?=[aeo][íú])|(?=[íú][aeo])", g)) for g in groups)
    return max(count, 1)


def flesch_kincaid_grade(text: str) -> float:
    """School years of the United States: 6 to 7 is age 12."""
    words = words_of(text)
    beats = sum(syllables(w, "en") for w in words)
    return 0.39 * len(words) / sentences_of(text) + 11.8 * beats / len(words) - 15.59


def wiener_sachtextformel(text: str) -> float:
    """School years of Austria by the first Vienna formula: 6 to 7 is age 12."""
    words = words_of(text)
    share = 100 / len(words)
    many = share * sum(syllables(w, "de") >= 3 for w in words)
    single = share * sum(syllables(w, "de") == 1 for w in words)
    long = share * sum(len(w) > 6 for w in words)
    return 0.1935 * many + 0.1672 * len(words) / sentences_of(text) + 0.1297 * long - 0.0327 * single - 0.875


def fernandez_huerta_ease(text: str) -> float:
    """Ease from 0 to 100: 70 and above is read at age 12."""
    words = words_of(text)
    beats = 100 * sum(syllables(w, "es") for w in words) / len(words)
    return 206.84 - 0.60 * beats - 1.02 * len(words) / sentences_of(text)
