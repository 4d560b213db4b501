"""Input as strangers, accidents and attackers leave it, small on disk, with a sentence that must not get around."""

from __future__ import annotations

import csv
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

from feedback.sources.google_play_rows import COLUMNS

CANARY = "the quokka gate of pump 4711 rattles"
LINK = "https://play.google.com/console?reviewId="
SUBMITTED, UPDATED = "Review Submit Millis Since Epoch", "Review Last Update Millis Since Epoch"


class Hostile:
    """An export, reports and pages of which little can be read."""

    def __init__(self, folder: Path):
        self.export, self.reports, self.pages = folder / "export.zip", folder / "reports", folder / "pages"
        _export(self.export)
        _reports(self.reports)
        _pages(self.pages)

    @property
    def variables(self) -> dict[str, str]:
        return {
            "FEEDBACK_SLACK_EXPORT": str(self.export),
            "FEEDBACK_GOOGLE_PLAY_CSV": str(self.reports),
            "FEEDBACK_ITUNES_PAGES": str(self.pages),
        }


def _export(path: Path) -> None:
    said = [{"type": "message", "user": "U1", "ts": f"17593{n:05}.000100", "text": f"{CANARY} {n}"} for n in range(3)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("channels.json", json.dumps([{"id": "C1", "name": "general"}]))
        file.writestr("users.json", json.dumps([{"id": "U1", "name": "ann"}]))
        file.writestr("general/2026-10-01.json", json.dumps([*said, {"type": "message", "text": CANARY}]))
        file.writestr("general/2026-10-02.json", f'[{{"text": "{CANARY}"')
        file.writestr("../evil.json", "[]")
        _bomb(file, "general/2026-10-03.json")


def _bomb(file: zipfile.ZipFile, name: str, gib: int = 10) -> None:
    """Add ten megabytes that unpack to as many gigabytes, without packing them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(b" " * 2**24) + packer.flush(zlib.Z_FULL_FLUSH)
    body = piece * (gib * 64) + zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    entry = zipfile.ZipInfo(name)
    entry.compress_type, entry.compress_size, entry.file_size, entry.CRC = zipfile.ZIP_DEFLATED, len(body), gib << 30, 0
    assert file.fp
    file.fp.seek(file.start_dir)
    entry.header_offset = file.fp.tell()
    file.fp.write(entry.FileHeader(zip64=True) + body)
    file.start_dir = file.fp.tell()
    file.filelist.append(entry)


def _reports(folder: Path) -> None:
    folder.mkdir()
    (folder / "good.csv").write_bytes(_report(_review(1), _review(2)).encode("utf-16"))
    (folder / "latin.csv").write_bytes(_report(_review(3) | {"Review Text": f"für {CANARY}"}).encode("latin-1"))
    (folder / "column.csv").write_text(_report(_review(4)).replace("Star Rating", "Stars"))
    (folder / "row.csv").write_text(_report(_review(5), _review(6) | {"Star Rating": CANARY}))


def _review(number: int) -> dict[str, str]:
    times = dict.fromkeys((SUBMITTED, UPDATED), str(1759300000000 + number))
    words = {"Package Name": "com.example.a", "Star Rating": "2", "Review Text": CANARY}
    return words | times | {"Review Link": f"{LINK}{number}"}


def _report(*rows: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _pages(folder: Path) -> None:
    folder.mkdir()
    _page(folder / "us_1234567890_page1.json", {"feed": {"entry": [_entry(1), _entry(2), {"id": {"label": CANARY}}]}})
    _page(folder / "us_1234567890_page3.json", [CANARY])
    (folder / "us_1234567890_page2.json").write_text(f"<!DOCTYPE html><p>{CANARY}")


def _page(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content))


def _entry(number: int) -> dict[str, Any]:
    said = {"id": f"9{number:09}", "title": "Bad", "content": CANARY, "im:rating": "1"}
    return {name: {"label": label} for name, label in (said | {"updated": "2026-10-02T10:00:00-07:00"}).items()}
