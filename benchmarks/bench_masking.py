"""What the mask finds, what it masks wrongly, and how fast it is beside five plain patterns.

Goals: at least 95 % of the spans of each kind; at most 1 % of the app reviews masked wrongly. The public sets lie
beside the repository, in ../shared/data; without them their tables are skipped, with a line that says so.

It takes some seconds.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import personal_data
from measure import ROOT, parser, table

sys.path.append(str(ROOT / "plugins"))
from feedback.text.findings import find
from feedback.text.redaction import mask

SHARED = ROOT.parent / "shared" / "data"
KINDS = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "US_SSN": "US_SSN",
}
SEED = 20261125
NAIVE = tuple(
    re.compile(pattern)
    for pattern in (
        r"[\w.+-]+@[\w-]+\.[\w.-]+",
        r"\+?\d[\d\s().-]{6,}\d",
        r"\b(?:\d[ -]?){13,16}\b",
        r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b",
        r"\b\d{3}-\d{2}-\d{4}\b",
    )
)


def naive(text: str) -> str:
    """What one writes in five minutes: every long number is personal."""
    for pattern in NAIVE:
        text = pattern.sub("[X]", text)
    return text


def recall() -> None:
    """Print the share of the spans that the mask removes, of the public set and of the invented one."""
    public = SHARED / "personal_data" / "generated_small.json"
    if public.exists():
        table("Spans of the public set (goal 95 %)", ("kind", "spans", "masked %", "naive %"), _shares(_spans(public)))
    else:
        print(f"\nSkipped: {public.relative_to(ROOT.parent)} is not here")
    invented = [
        (sample.group, sample.text, sample.value, sample.region)
        for sample in personal_data.samples(random.Random(SEED))
    ]
    table("Spans of the invented set", ("kind and way of writing", "spans", "masked %", "naive %"), _shares(invented))


def _spans(file: Path) -> list[tuple[str, str, str, str | None]]:
    texts = json.loads(file.read_text())
    spans = [
        (KINDS.get(span["entity_type"]), text["full_text"], span["entity_value"])
        for text in texts
        for span in text["spans"]
    ]
    return [(kind, text, value, None) for kind, text, value in spans if kind]


def _shares(spans: list[tuple[str, str, str, str | None]]) -> list[tuple[object, ...]]:
    there, ours, theirs = Counter[str](), Counter[str](), Counter[str]()
    for kind, text, value, region in spans:
        there[kind] += 1
        ours[kind] += value not in mask(text, region)
        theirs[kind] += value not in naive(text)
    return [(kind, n, 100 * ours[kind] / n, 100 * theirs[kind] / n) for kind, n in there.items()]


def precision() -> list[str]:
    """Print the rows of texts without personal data that are masked all the same, and the passages, to be judged."""
    harmless = list(personal_data.harmless(random.Random(SEED)))
    rows = [_wrong(f"invented, {region or 'no country'}", harmless, region) for region in (None, "US", "DE", "IN")]
    reviews = list(_reviews())
    rows += [_wrong(f"app reviews, {region or 'no country'}", reviews, region) for region in (None, "US") if reviews]
    table(
        "Rows masked where nothing is personal (goal for app reviews 1 %)",
        ("texts", "rows", "masked %", "naive %"),
        rows,
    )
    masked = [(text, finding) for text in reviews for finding in find(text, "US")]
    print(f"\nMasked in the app reviews, for a person to judge: {len(masked)} passages")
    for text, finding in masked:
        print(f"- {finding.kind} {finding.value!r} in {text[max(0, finding.start - 30) : finding.start + 50]!r}")
    return reviews


def _wrong(name: str, texts: list[str], region: str | None) -> tuple[object, ...]:
    ours, theirs = sum(mask(text, region) != text for text in texts), sum(naive(text) != text for text in texts)
    return name, len(texts), 100 * ours / len(texts), 100 * theirs / len(texts)


def _reviews() -> Iterator[str]:
    folder = SHARED / "app_reviews"
    if not folder.exists():
        print(f"\nSkipped: {folder.relative_to(ROOT.parent)} is not here")
        return
    for line in (folder / "is22_reviews.jsonl").read_text().splitlines():
        yield json.loads(line)["text"]
    yield from _last_column(folder / "com.spotify.music_1250_review_level.xlsx")


def _last_column(workbook: Path) -> Iterator[str]:
    """The texts of a sheet whose cells are all shared strings, under its header."""
    # The file is one of ours to measure on, not anybody's input.
    mark = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with ZipFile(workbook) as file:
        strings = ElementTree.fromstring(file.read("xl/sharedStrings.xml")).iter(f"{mark}si")  # noqa: S314
        shared = ["".join(part.text or "" for part in string.iter(f"{mark}t")) for string in strings]
        rows = ElementTree.fromstring(file.read("xl/worksheets/sheet1.xml")).iter(f"{mark}row")  # noqa: S314
        cells = [row.findall(f"{mark}c/{mark}v") for row in rows]
    yield from (shared[int(row[-1].text or 0)] for row in cells[1:] if len(row) == 3)


def speed(reviews: list[str]) -> None:
    """Print megabytes a second, best of five, on texts with next to nothing in them and on texts full of it."""
    full = [sample.text for sample in personal_data.samples(random.Random(SEED))]
    rows = [_speeds("the invented set: personal data in each text", full)]
    if reviews:
        rows.insert(0, _speeds("app reviews", reviews))
    table("Speed", ("texts", "MB", "ours MB/s", "naive MB/s", "ratio"), rows)


def _speeds(name: str, texts: list[str]) -> tuple[object, ...]:
    size = sum(len(text.encode()) for text in texts) / 1e6
    ours, theirs = (size / min(_seconds(function, texts) for _ in range(5)) for function in (mask, naive))
    return name, size, ours, theirs, ours / theirs


def _seconds(function: Callable[[str], str], texts: list[str]) -> float:
    started = time.perf_counter()
    for text in texts:
        function(text)
    return time.perf_counter() - started


def main() -> None:
    parser(__doc__).parse_args()
    recall()
    speed(precision())


if __name__ == "__main__":
    main()
