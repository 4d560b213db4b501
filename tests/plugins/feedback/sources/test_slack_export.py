"""A Slack export of any age is loaded whole; what is broken costs only itself; nothing private slips in."""

import json
import shutil
import unicodedata
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from feedback.errors import InputRefused
from feedback.model import Batch, Gap
from feedback.sources.base import Past
from feedback.sources.slack_export import SlackExport

ROOT = Path(__file__).resolve().parents[4]
FIXTURE = ROOT / "tests/fixtures/slack_export"
REAL = ROOT.parent / "shared/data/slack_export/testarchive.zip"


def extracted(source, past=None):
    """Everything a source hands over: batches, gaps."""
    found = list(source.extract(past or Past()))
    return [one for one in found if isinstance(one, Batch)], [one for one in found if isinstance(one, Gap)]


def rows(batches, table):
    return [row for batch in batches if batch.target == f"raw.{table}" for row in batch.rows]


def export(path, files):
    """Write a folder export; what is not text is written as JSON."""
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(json.dumps(content))
    return path


def zipped(folder, to, inside=""):
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*.json")):
            archive.write(file, inside + file.relative_to(folder).as_posix())
    return to


def message(ts="1759312800.000001", **more):
    return {"type": "message", "user": "U1", "text": "words", "ts": ts, **more}


@pytest.fixture
def found():
    return extracted(SlackExport(FIXTURE))


class TestWhatIsLoaded:
    def test_every_message_of_a_readable_file_of_a_public_channel_is_a_row_of_its_own(self, found):
        expected = set()
        for file in [*FIXTURE.glob("general/2026*.json"), *FIXTURE.glob("before-threads/*.json")]:
            channel = {"general": "C01GENERAL"}.get(file.parent.name, file.parent.name)
            expected |= {(channel, one["ts"]) for one in json.loads(file.read_text()) if "ts" in one}
        expected.add(("C02BROKEN", "1759572000.000001"))

        keys = [(row["channel_id"], row["ts"]) for row in rows(found[0], "slack_messages")]

        assert set(keys) == expected - {("C01GENERAL", None)}
        assert len(keys) == len(set(keys))

    def test_a_root_is_its_own_thread_and_a_broadcast_reply_belongs_to_its_root(self, found):
        thread_of = {row["ts"]: row["thread_ts"] for row in rows(found[0], "slack_messages")}

        assert thread_of["1393632000.000002"] == "1393632000.000002"
        assert thread_of["1759312800.000004"] == "1759312800.000002"

    def test_an_event_gives_its_message_the_newer_text_but_never_an_older_one(self, found):
        text_of = {row["ts"]: row["text"] for row in rows(found[0], "slack_messages")}

        assert text_of["1759312800.000008"] == "second wording"
        assert text_of["1759312800.000009"] == "final wording"
        assert "1000000000.000001" not in text_of

    def test_what_no_warehouse_stores_is_cleaned(self, found):
        [text] = [row["text"] for row in rows(found[0], "slack_messages") if "half a" in (row["text"] or "")]

        assert text == "half a \ufffd character and  a null"

    def test_the_workspace_is_what_the_messages_say(self, found):
        assert {row["team_id"] for batch in found[0] for row in batch.rows} == {"T0TEAM"}

    def test_no_e_mail_address_of_a_user_or_channel_is_stored(self, found):
        stored = json.dumps(
            [row["payload"] for table in ("slack_users", "slack_channels") for row in rows(found[0], table)]
        )

        assert "@nowhere.example" not in stored
        kept, _ = extracted(SlackExport(FIXTURE, store_emails=True))
        assert "ada@nowhere.example" in rows(kept, "slack_users")[0]["payload"]

    def test_who_runs_the_workspace_is_team_a_guest_is_not_and_of_others_nobody_knows(self, found):
        assert {row["id"]: row["is_team"] for row in rows(found[0], "slack_users")} == {
            "U1": None,
            "U2": True,
            "U3": False,
        }

    def test_a_zip_a_folder_and_a_packed_folder_load_the_same(self, found, tmp_path):
        plain = SlackExport(zipped(FIXTURE, tmp_path / "plain.zip"))
        wrapped = SlackExport(zipped(FIXTURE, tmp_path / "wrapped.zip", inside="our export/"))

        assert extracted(plain)[0] == extracted(wrapped)[0] == found[0]


class TestWhoMayRead:
    def test_private_channels_and_direct_messages_are_skipped_and_counted(self, found):
        skipped = {gap.reason: (gap.part, gap.row_count) for gap in found[1] if gap.status == "skipped"}

        assert skipped["private_channel"] == ("secret", 2)
        assert skipped["direct_messages"] == ("direct messages", 2)
        assert not {"G01SECRET", "D01ABCDEF", "G02MANY"} & {r["channel_id"] for r in rows(found[0], "slack_messages")}
        assert "secret" not in [row["name"] for row in rows(found[0], "slack_channels")]

    @pytest.mark.parametrize("named", ["secret", "G01SECRET"])
    def test_a_private_channel_is_loaded_when_it_is_named(self, named):
        batches, gaps = extracted(SlackExport(FIXTURE, channels=[named]))

        assert "G01SECRET" in {row["channel_id"] for row in rows(batches, "slack_messages")}
        assert [row["is_private"] for row in rows(batches, "slack_channels") if row["id"] == "G01SECRET"] == [True]
        assert "private_channel" not in [gap.reason for gap in gaps]

    def test_direct_messages_are_never_loaded_even_when_named_or_unlisted(self, tmp_path):
        folder = export(tmp_path / "e", {"channels.json": [], "D01ABCDEF/2026-10-01.json": [message()]})

        batches, gaps = extracted(SlackExport(folder, channels=["D01ABCDEF"]))

        assert rows(batches, "slack_messages") == []
        assert [gap.reason for gap in gaps] == ["direct_messages"]

    @pytest.mark.parametrize("form", ["NFC", "NFD"])
    def test_a_private_channel_stays_private_however_a_file_system_writes_its_name(self, form, tmp_path):
        name = "プライベート-é"
        files = {"groups.json": [{"id": "G1", "name": name}], "channels.json": []}
        files[f"{unicodedata.normalize(form, name)}/2026-10-01.json"] = [message()]

        batches, gaps = extracted(SlackExport(export(tmp_path / "e", files)))

        assert (rows(batches, "slack_messages"), [gap.reason for gap in gaps]) == ([], ["private_channel"])

    def test_a_private_channel_stays_private_in_a_zip_that_does_not_say_its_names_are_utf_8(self, tmp_path):
        files = {"groups.json": [{"id": "G1", "name": "geheim-ü"}], "geheim-XX/2026-10-01.json": [message()]}
        archive = zipped(export(tmp_path / "e", files), tmp_path / "e.zip")
        archive.write_bytes(archive.read_bytes().replace(b"geheim-XX", "geheim-ü".encode()))

        batches, gaps = extracted(SlackExport(archive))

        assert (rows(batches, "slack_messages"), [gap.reason for gap in gaps]) == ([], ["private_channel"])

    def test_of_two_listings_of_one_channel_the_more_private_one_counts(self, tmp_path):
        files = {"channels.json": [{"id": "C1", "name": "before"}], "groups.json": [{"id": "C1", "name": "after"}]}
        files |= {"before/2026-10-01.json": [message()], "after/2026-10-02.json": [message("1759312900.000001")]}

        batches, gaps = extracted(SlackExport(export(tmp_path / "e", files)))

        assert (rows(batches, "slack_messages"), [gap.row_count for gap in gaps]) == ([], [2])

    def test_a_broken_listing_refuses_the_export_for_a_private_channel_might_pass_for_public(self, tmp_path):
        folder = export(tmp_path / "e", {"groups.json": b"[{", "secret/2026-10-01.json": [message()]})

        batches, gaps = extracted(SlackExport(folder))

        assert batches == []
        assert [(gap.status, gap.reason) for gap in gaps] == [("refused", "broken_json")]


class TestIdentity:
    def test_a_set_team_counts_more_than_what_the_messages_say(self):
        batches, _ = extracted(SlackExport(FIXTURE, team="T9"))

        assert {row["team_id"] for batch in batches for row in batch.rows} == {"T9"}

    def test_an_export_that_says_no_team_is_named_after_its_channels_and_keeps_that_name_as_it_grows(self, tmp_path):
        files = {"channels.json": [{"id": "C1", "name": "one"}], "one/2020-01-01.json": [message()]}
        folder = export(tmp_path / "e", files)
        [channels, _], _ = extracted(SlackExport(folder))
        team = channels.rows[0]["team_id"]
        export(folder, {"channels.json": [{"id": "C1", "name": "one"}, {"id": "C2", "name": "two"}]})

        [grown, *_], _ = extracted(SlackExport(folder), Past(teams={"C1": team}))

        assert team.startswith("export-")
        assert {row["team_id"] for row in grown.rows} == {team}

    def test_a_team_that_is_set_later_is_refused_for_it_would_load_everything_twice(self):
        past = Past(teams={"C01GENERAL": "export-0123"})

        with pytest.raises(InputRefused, match="loaded already as workspace export-0123: unset FEEDBACK_SLACK_TEAM"):
            extracted(SlackExport(FIXTURE, team="T9"), past)


class TestWhatIsBroken:
    def test_each_broken_file_is_one_line_and_costs_only_itself(self, found):
        refused = {gap.part: gap for gap in found[1] if gap.status == "refused"}

        assert {part: gap.reason for part, gap in refused.items()} == {
            "broken/2026-10-01.json": "broken_json",
            "broken/2026-10-02.json": "not_a_list",
            "broken/2026-10-03.json": "not_utf8",
            "general/2026-10-03.json": "no_timestamp",
        }
        assert all(gap.part in gap.detail and "\n" not in gap.detail for gap in refused.values())
        assert refused["general/2026-10-03.json"].row_count == 2

    @pytest.mark.parametrize("content", [b"[" * 100_000, b'[{"ts": "1.0", "x": NaN}]', b"", b"null"])
    def test_hostile_json_is_refused(self, content, tmp_path):
        folder = export(tmp_path / "e", {"channels.json": [], "one/2020-01-01.json": content})

        batches, gaps = extracted(SlackExport(folder))

        assert rows(batches, "slack_messages") == []
        assert [gap.status for gap in gaps] == ["refused"]

    @pytest.mark.parametrize("ts", [None, 1759312800.000001, "soon", "", "99999999999999.1"])
    def test_a_message_without_slacks_timestamp_is_left_out(self, ts, tmp_path):
        folder = export(tmp_path / "e", {"one/2020-01-01.json": [message(ts=ts), message()]})

        batches, gaps = extracted(SlackExport(folder))

        assert [row["ts"] for row in rows(batches, "slack_messages")] == ["1759312800.000001"]
        assert [(gap.reason, gap.row_count) for gap in gaps] == [("no_timestamp", 1)]

    def test_a_missing_users_file_stops_nothing(self, tmp_path):
        folder = export(tmp_path / "e", {"one/2020-01-01.json": [message()]})

        batches, gaps = extracted(SlackExport(folder))

        assert (len(rows(batches, "slack_messages")), gaps) == (1, [])

    def test_a_broken_users_file_stops_no_message(self, tmp_path):
        folder = export(tmp_path / "e", {"users.json": b"{", "one/2020-01-01.json": [message()]})

        batches, gaps = extracted(SlackExport(folder))

        assert (len(rows(batches, "slack_messages")), [gap.part for gap in gaps]) == (1, ["users.json"])

    def test_a_path_that_does_not_exist_is_no_gap_but_a_failure(self, tmp_path):
        with pytest.raises(InputRefused, match="does not exist"):
            extracted(SlackExport(tmp_path / "nowhere.zip"))


class TestWhatIsLoadedTwice:
    def test_the_same_content_is_not_parsed_again_and_its_gaps_are_named_again(self, found):
        remembered = [replace(gap, detail="as remembered") for gap in found[1] if gap.status == "refused"]
        past = Past(loads=frozenset(batch.load_id for batch in found[0]), gaps=tuple(remembered))

        batches, gaps = extracted(SlackExport(FIXTURE), past)

        assert batches == []
        assert [gap for gap in gaps if gap.status == "refused"] == remembered

    def test_a_new_day_is_loaded_and_a_mended_file_too(self, found, tmp_path):
        folder = shutil.copytree(FIXTURE, tmp_path / "e")
        past = Past(loads=frozenset(batch.load_id for batch in found[0]), gaps=tuple(found[1]))
        export(folder, {"broken/2026-10-01.json": [message("1759312800.000777", text="mended")]})

        batches, gaps = extracted(SlackExport(folder), past)

        assert "mended" in [row["text"] for row in rows(batches, "slack_messages")]
        assert "broken/2026-10-01.json" not in [gap.part for gap in gaps]

    def test_a_reaction_or_a_new_face_leaves_the_hash_alone_and_an_edit_moves_it(self, tmp_path):
        def hashed(**more):
            folder = export(tmp_path / "e", {"one/2020-01-01.json": [message(**more)]})
            return rows(extracted(SlackExport(folder))[0], "slack_messages")[0]["row_hash"]

        plain = hashed()

        assert hashed(reactions=[{"name": "eyes"}], reply_count=3, user_profile={"name": "x"}) == plain
        assert hashed(text="other words") != plain
        assert hashed(files=[{"name": "a.txt"}]) != plain


@pytest.mark.skipif(not REAL.exists(), reason="../shared/data is not here")
class TestARealExport:
    def test_loads_without_loss(self):
        with zipfile.ZipFile(REAL) as archive:
            ids = {one["name"]: one["id"] for one in json.loads(archive.read("channels.json"))}
            days = [name for name in archive.namelist() if name.count("/") == 1 and name.endswith(".json")]
            expected = {(ids[name.split("/")[0]], one["ts"]) for name in days for one in json.loads(archive.read(name))}

        batches, gaps = extracted(SlackExport(REAL))

        keys = [(row["channel_id"], row["ts"]) for row in rows(batches, "slack_messages")]
        assert sorted(keys) == sorted(expected)
        assert gaps == []
