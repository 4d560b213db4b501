"""Whether words a model quotes stand in a text, and where: its own words are never published as a customer's."""

from __future__ import annotations

import unicodedata


def locate(quote: str, text: str) -> str | None:
    """Return the span of ``text`` that ``quote`` repeats, or None where it does not occur.

    Compared after NFKC, white-space and case folding; what is returned stands in ``text`` letter by letter.
    """
    if quote in text and quote.strip():
        return quote.strip()
    wanted, _ = _folded(quote)
    folded, origins = _folded(text)
    wanted = wanted.strip()
    found = folded.find(wanted) if wanted else -1
    if found < 0:
        return None
    start, end = origins[found][0], origins[found + len(wanted) - 1][1]
    return text[start:end].strip()


def _folded(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text as compared, and for each of its characters where in ``text`` it came from."""
    folded: list[str] = []
    origins: list[tuple[int, int]] = []
    for start, cluster in _clusters(text):
        for char in _nfkc(_nfkc(cluster).casefold()):
            is_space = char.isspace()
            if is_space and folded and folded[-1] == " ":
                continue
            folded.append(" " if is_space else char)
            origins.append((start, start + len(cluster)))
    return "".join(folded), origins


def _clusters(text: str) -> list[tuple[int, str]]:
    """Split into characters, each with what normalisation merges into it."""
    clusters: list[tuple[int, str]] = []
    for index, char in enumerate(text):
        if clusters and not char.isascii() and _merges(clusters[-1][1], char):
            start, cluster = clusters[-1]
            clusters[-1] = (start, cluster + char)
        else:
            clusters.append((index, char))
    return clusters


def _merges(cluster: str, char: str) -> bool:
    return bool(unicodedata.combining(char)) or _nfkc(cluster + char) != _nfkc(cluster) + _nfkc(char)


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
