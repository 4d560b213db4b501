"""What a call costs, and which tables are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedback.errors import PriceUnknown, SettingError
from feedback.llm.prices import Usage, read

OURS = Path(__file__).parents[4] / "include" / "prices.yaml"


def test_a_call_is_billed_by_kind_of_token():
    luna = read([OURS]).model("gpt-6-luna", is_free=False)
    usage = Usage(input_tokens=1_000_000, cached_tokens=400_000, cache_write_tokens=100_000, output_tokens=200_000)

    assert luna.cost(usage) == pytest.approx(0.5 * 0.10 + 0.4 * 0.01 + 0.1 * 0.125 + 0.2 * 0.50)
    assert luna.cost(usage, is_flex=True) == pytest.approx(luna.cost(usage) / 2)


def test_a_snapshot_costs_what_its_family_costs():
    table = read([OURS])

    assert table.model("gpt-6-luna-2026-09-22", False).input == table.model("gpt-6-luna", False).input
    assert table.model("gpt-6-luna-2026-09-22", False).family == "gpt-6-luna"


def test_an_unknown_price_is_refused_naming_the_variable():
    with pytest.raises(PriceUnknown, match=r"gpt-9.*FEEDBACK_LLM_PRICES"):
        read([OURS]).model("gpt-9", is_free=False)


def test_on_a_loopback_host_every_model_is_free():
    table = read([OURS])

    assert table.model("llama", is_free=True).cost(Usage(10**6, 0, 0, 10**6)) == 0
    assert table.model("gpt-6-luna", is_free=True).most(10**6, 10**6) == 0


def test_a_file_of_the_user_overrides_model_by_model(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("models: {gpt-6-luna: {input: 7, output: 8}, own: {input: 1, output: 2, window: 9000}}")

    table = read([OURS, mine])

    assert table.model("gpt-6-luna", False).input == 7
    assert table.model("own", False).window == 9000
    assert table.model("gpt-6-sol", False).output == 10
    assert table.default_model == "gpt-6-luna"


@pytest.mark.parametrize(
    "text",
    [
        "- a",
        "models: [a]",
        "models: {a: {input: 1}}",
        "models: {a: {input: x, output: 1}}",
        "{",
        "models: {a: {input: 1, output: 2, tax: 3}}",
    ],
)
def test_a_table_we_cannot_use_is_named(tmp_path, text):
    mine = tmp_path / "mine.yaml"
    mine.write_text(text)

    with pytest.raises(SettingError, match=r"mine.yaml"):
        read([OURS, mine])


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(SettingError, match=r"gone.yaml"):
        read([OURS, tmp_path / "gone.yaml"])
