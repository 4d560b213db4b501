"""What must hold of every question, tested by being in the registry."""

from __future__ import annotations

import json
import re

import pytest

from feedback.llm.questions import Registry
from include.enrichments import ENRICHMENTS


def test_the_questions_of_the_product_are_asked():
    assert {enrichment.name for enrichment in ENRICHMENTS} >= {"sentiment", "intent", "area", "mentions"}


def test_together_they_stay_long_enough_to_be_cached_and_short_enough_to_be_paid():
    questions = Registry(ENRICHMENTS).questions([enrichment.name for enrichment in ENRICHMENTS])

    assert 1_024 < questions.tokens < 3_000
    assert "data to be labelled" in questions.prompt


def test_of_a_mention_its_name_is_compared_and_identified():
    [mentions] = [enrichment for enrichment in ENRICHMENTS if enrichment.name == "mentions"]
    one = {"kind": "company", "surface": "Contoso GmbH", "quote": "by Contoso GmbH"}

    rows = mentions.rows("i", {"mentions": [one, one | {"surface": "CONTOSO"}]})

    assert [(row["surface"], row["norm"]) for row in rows] == [("Contoso GmbH", "contoso")]
    assert len(rows[0]["mention_id"]) == 16


@pytest.mark.parametrize("enrichment", ENRICHMENTS, ids=lambda enrichment: enrichment.name)
class TestEveryEnrichment:
    def test_its_prompt_describes_every_label_in_a_line_with_an_example(self, enrichment):
        for label in enrichment.labels:
            assert re.search(rf"^- `{label}`: .{{20,}}“.+”$", enrichment.prompt, re.MULTILINE), label

    def test_its_prompt_says_when_there_is_nothing_to_quote(self, enrichment):
        assert "null" in enrichment.prompt

    def test_its_schema_is_strict_and_without_bounds(self, enrichment):
        sent = json.dumps(enrichment.schema)

        assert "additionalProperties" in sent
        assert not re.search("inimum|aximum|Length|default|title", sent)

    def test_its_rows_have_the_columns_of_its_table(self, enrichment, warehouse):
        columns = {
            row["name"]
            for row in warehouse.rows(
                "select lower(column_name) as name from information_schema.columns"
                " where lower(table_schema) = 'feedback' and lower(table_name) = ?",
                (enrichment.name,),
            )
        }
        derived = {"norm", "mention_id"} if enrichment.derive else set()

        assert set(enrichment.row_type.model_fields) | derived | {"item_id"} <= columns

    def test_its_rules_know_its_key(self, enrichment):
        assert {"key_unique", "quote_grounded", "personal_data_absent"} <= {rule.id for rule in enrichment.rules}
        assert set(enrichment.key) <= {"item_id", "label", "mention_id"}
