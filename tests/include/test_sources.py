"""What must hold of every source, and which the variables choose."""

import json
import stat
from pathlib import Path

import pytest

from feedback.errors import InputRefused, SettingError
from feedback.model import Batch, Gap
from feedback.sources.base import Past
from feedback.warehouse.merge import RAW
from include import settings
from include.sources import item_rules, salt, sources

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
FILES = {
    "FEEDBACK_SLACK_EXPORT": FIXTURES / "slack_export",
    "FEEDBACK_GOOGLE_PLAY_CSV": FIXTURES / "google_play",
    "FEEDBACK_ITUNES_PAGES": FIXTURES / "itunes",
}


def chosen(**variables):
    return sources(settings.load({name: str(value) for name, value in variables.items()}))


EVERY = chosen(**FILES)


@pytest.mark.parametrize("source", EVERY, ids=lambda source: source.name)
class TestEverySource:
    def test_brings_rows_for_raw_tables_once_each(self, source):
        batches = [found for found in source.extract(Past()) if isinstance(found, Batch)]

        for batch in batches:
            keys = [tuple(row[name] for name in RAW[batch.target].key) for row in batch.rows]
            assert batch.source == source.name
            assert batch.rows
            assert len(keys) == len(set(keys))
        assert len({batch.load_id for batch in batches}) == len(batches)

    def test_brings_nothing_twice_and_names_its_gaps_again(self, source):
        found = list(source.extract(Past()))
        gaps = [one for one in found if isinstance(one, Gap)]
        loads = frozenset(one.load_id for one in found if isinstance(one, Batch))

        again = list(source.extract(Past(loads, tuple(gaps))))

        assert sorted(again, key=repr) == sorted(gaps, key=repr)

    def test_brings_the_same_from_the_same_content(self, source):
        assert list(source.extract(Past())) == list(source.extract(Past()))

    def test_says_of_every_gap_what_it_is_in_one_line(self, source):
        for gap in (found for found in source.extract(Past()) if isinstance(found, Gap)):
            assert gap.source == source.name
            assert gap.status in ("skipped", "refused", "failed")
            assert gap.detail
            assert "\n" not in gap.detail

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\xd8", b"{", b"[[1]]", b"a,b\n1,2\n"])
    def test_takes_broken_input_as_a_gap(self, source, content, tmp_path):
        for name in ("general/2026-10-01.json", "page.json", "reviews.csv"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(content)

        found = list(type(source)(tmp_path).extract(Past()))

        assert [one for one in found if isinstance(one, Batch) and one.target != "raw.slack_channels"] == []
        assert "refused" in [one.status for one in found if isinstance(one, Gap)]

    def test_fails_where_there_is_nothing(self, source, tmp_path):
        with pytest.raises(InputRefused, match="nowhere"):
            list(type(source)(tmp_path / "nowhere").extract(Past()))


def test_names_are_told_apart():
    assert [source.name for source in EVERY] == ["slack_export", "google_play_csv", "itunes_pages"]


def test_without_any_variable_the_sample_is_read():
    assert {"sample"} == {source.path.parent.name for source in chosen()}


def test_only_what_a_variable_names_is_read():
    assert [s.name for s in chosen(FEEDBACK_ITUNES_PAGES=FIXTURES / "itunes")] == ["itunes_pages"]


def test_the_export_hears_of_team_channels_and_addresses():
    [export] = chosen(
        FEEDBACK_SLACK_EXPORT=FIXTURES / "slack_export",
        FEEDBACK_SLACK_CHANNELS="secret",
        FEEDBACK_SLACK_TEAM="T1",
        FEEDBACK_STORE_EMAILS="on",
    )

    assert (export.channels, export.team, export.store_emails) == (("secret",), "T1", True)


@pytest.mark.parametrize(
    ("variable", "value", "file"),
    [
        ("FEEDBACK_SLACK_CHANNELS", "general", "FEEDBACK_SLACK_EXPORT"),
        ("FEEDBACK_APP_STORE_APPS", "1234567890", "FEEDBACK_ITUNES_PAGES"),
        ("FEEDBACK_GOOGLE_PLAY_APPS", "example.app", "FEEDBACK_GOOGLE_PLAY_CSV"),
        ("FEEDBACK_ITUNES_APPS", "us:1234567890", "FEEDBACK_ITUNES_PAGES"),
    ],
)
def test_what_is_not_built_yet_is_refused_in_a_line_that_names_variable_and_way_out(variable, value, file):
    with pytest.raises(SettingError, match=rf"{variable}.*not built yet.*{file}"):
        chosen(**{variable: value})


def test_an_app_is_read_through_one_door_only():
    with pytest.raises(SettingError, match=r"app 1234567890 is in FEEDBACK_APP_STORE_APPS and in FEEDBACK_ITUNES_APPS"):
        chosen(FEEDBACK_APP_STORE_APPS="1234567890", FEEDBACK_ITUNES_APPS="us:1234567890")


class TestSalt:
    def test_is_generated_once_and_only_we_may_read_it(self, tmp_path):
        home = settings.load({"FEEDBACK_HOME": str(tmp_path / "home")})

        first = salt(home)

        assert salt(home) == first
        assert stat.S_IMODE((tmp_path / "home/hash_salt").stat().st_mode) == 0o600
        assert [file.name for file in (tmp_path / "home").iterdir()] == ["hash_salt"]

    def test_is_what_the_variable_says(self, tmp_path):
        assert salt(settings.load({"FEEDBACK_HASH_SALT": "ours"})) == b"ours"

    def test_has_to_be_set_on_snowflake(self):
        home = settings.load({"FEEDBACK_WAREHOUSE": "snowflake", "FEEDBACK_ITUNES_PAGES": "x"})

        with pytest.raises(SettingError, match="FEEDBACK_HASH_SALT"):
            salt(home)

    def test_is_not_made_before_it_is_needed(self, tmp_path):
        item_rules(settings.load({"FEEDBACK_HOME": str(tmp_path)}))

        assert json.dumps([file.name for file in tmp_path.iterdir()]) == "[]"
