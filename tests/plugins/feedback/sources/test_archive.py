"""A hostile archive is refused in one line or loses only its hostile part; nothing touches the disk."""

import io
import json
import zipfile
from dataclasses import replace

import pytest

from feedback.model import Batch
from feedback.sources import archive
from feedback.sources.base import Past
from feedback.sources.slack_export import SlackExport

GOOD = ("general/2026-10-01.json", json.dumps([{"type": "message", "ts": "1759312800.000001", "text": "hi"}]))


def packed(tmp_path, *entries):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)
    return path


def texts_and_gaps(path):
    found = list(SlackExport(path).extract(Past()))
    batches = [one for one in found if isinstance(one, Batch) and one.target == "raw.slack_messages"]
    gaps = [one for one in found if not isinstance(one, Batch)]
    return [row["text"] for batch in batches for row in batch.rows], gaps


def link_entry(name):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o120777 << 16
    return entry


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "not_a_zip"), (b"certainly no zip", "not_a_zip"), (None, "not_a_zip"), ("readme", "not_an_export")],
    ids=["empty", "text", "truncated", "no export"],
)
def test_what_is_no_export_is_one_refused_line_that_names_the_file(content, reason, tmp_path):
    if content == "readme":
        path = packed(tmp_path, ("readme.txt", "hello"))
    else:
        path = packed(tmp_path, GOOD)
        path.write_bytes(path.read_bytes()[:-30] if content is None else content)

    texts, [gap] = texts_and_gaps(path)

    assert texts == []
    assert (gap.status, gap.reason) == ("refused", reason)
    assert "export.zip" in gap.detail
    assert gap.fingerprint


def test_a_refused_archive_is_not_opened_again(tmp_path):
    path = packed(tmp_path, ("readme.txt", "hello"))
    _, [gap] = texts_and_gaps(path)
    remembered = replace(gap, detail="as remembered")

    assert list(SlackExport(path).extract(Past(gaps=(remembered,)))) == [remembered]


@pytest.mark.parametrize(
    "name",
    ["../general/2026-10-02.json", "/etc/2026-10-02.json", "a/../../b/2026-10-02.json", "C:/x/2026-10-02.json"],
)
def test_a_path_that_leads_outside_is_not_read_and_the_rest_is_loaded(name, tmp_path):
    texts, gaps = texts_and_gaps(packed(tmp_path, GOOD, (name, GOOD[1])))

    assert texts == ["hi"]
    assert [gap.reason for gap in gaps] == ["unsafe_path"]


def test_a_link_is_not_followed(tmp_path):
    texts, gaps = texts_and_gaps(packed(tmp_path, GOOD, (link_entry("general/2026-10-02.json"), "/etc/passwd")))

    assert texts == ["hi"]
    assert [gap.reason for gap in gaps] == ["unsafe_path"]


def test_a_link_out_of_a_folder_is_not_followed(tmp_path):
    (tmp_path / "outside.json").write_text(GOOD[1])
    day = tmp_path / "export" / GOOD[0]
    day.parent.mkdir(parents=True)
    day.write_text(GOOD[1])
    day.with_name("2026-10-02.json").symlink_to(tmp_path / "outside.json")

    texts, gaps = texts_and_gaps(tmp_path / "export")

    assert texts == ["hi"]
    assert [gap.reason for gap in gaps] == ["unsafe_path"]


def test_a_file_that_explodes_is_refused_and_the_rest_is_loaded(tmp_path):
    texts, gaps = texts_and_gaps(packed(tmp_path, GOOD, ("general/2026-10-02.json", b"[" + b" " * 40_000_000 + b"]")))

    assert texts == ["hi"]
    assert [(gap.part, gap.reason) for gap in gaps] == [("general/2026-10-02.json", "too_large")]


def test_a_file_that_declares_ten_gigabytes_is_never_inflated(tmp_path):
    path = packed(tmp_path, GOOD, ("general/2026-10-02.json", GOOD[1]))
    content = bytearray(path.read_bytes())
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (0xFFFFFFFE).to_bytes(4, "little")
    path.write_bytes(content)

    texts, gaps = texts_and_gaps(path)

    assert texts == ["hi"]
    assert [gap.reason for gap in gaps] == ["too_large"]


def test_a_file_that_understates_its_size_is_stopped(tmp_path):
    path = packed(tmp_path, GOOD, ("general/2026-10-02.json", b"[" + b" " * 100_000 + b"]"))
    content = bytearray(path.read_bytes())
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    path.write_bytes(content)

    texts, gaps = texts_and_gaps(path)

    assert texts == ["hi"]
    assert [gap.status for gap in gaps] == ["refused"]


def test_many_files_that_explode_together_refuse_the_archive(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_TOTAL", 1_000_000)
    monkeypatch.setattr(archive, "LARGEST_TOTAL_RATIO", 20)
    bombs = [(f"general/2026-10-{day:02}.json", b" " * 900_000) for day in range(2, 30)]

    texts, [gap] = texts_and_gaps(packed(tmp_path, GOOD, *bombs))

    assert (texts, gap.reason) == ([], "too_large")


def test_a_damaged_entry_costs_only_itself(tmp_path):
    path = packed(tmp_path, GOOD, ("general/2026-10-02.json", json.dumps([{"ts": "1.0", "text": "x" * 500}])))
    content = bytearray(path.read_bytes())
    start = content.find(b"2026-10-02.json") + len(b"2026-10-02.json")
    content[start : start + 8] = b"\xff" * 8
    path.write_bytes(content)

    texts, gaps = texts_and_gaps(path)

    assert texts == ["hi"]
    assert [gap.reason for gap in gaps] == ["damaged"]


def test_an_encrypted_entry_is_refused(tmp_path):
    buffer = io.BytesIO(packed(tmp_path, GOOD).read_bytes())
    content = bytearray(buffer.getvalue())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + offset] |= 1
    (tmp_path / "export.zip").write_bytes(content)

    texts, gaps = texts_and_gaps(tmp_path / "export.zip")

    assert (texts, [gap.reason for gap in gaps]) == ([], ["damaged"])
