"""Rows on their way in: typed as their table is, whose columns are asked for once."""

from __future__ import annotations

import pytest

from feedback.errors import WarehouseError
from feedback.warehouse.duckdb import DuckDBWarehouse
from feedback.warehouse.incoming import columns_of, incoming


class Counting(DuckDBWarehouse):
    """A warehouse that counts what it is asked."""

    asked = 0

    def rows(self, sql, params=()):
        self.asked += 1
        return super().rows(sql, params)


def test_the_columns_of_a_table_are_asked_for_once(warehouse):
    counting = Counting(warehouse.path, warehouse.ddl)

    assert columns_of(counting, "ops.cases") == columns_of(counting, "ops.cases")
    assert counting.asked == 1
    assert list(columns_of(counting, "ops.loads")) != list(columns_of(counting, "ops.cases"))
    assert counting.asked == 2


def test_a_table_that_is_not_there_yet_is_looked_for_again(tmp_path, warehouse):
    fresh = DuckDBWarehouse(tmp_path / "fresh.duckdb", warehouse.ddl)
    with pytest.raises(WarehouseError, match=r"no table ops\.cases: migrate it first"):
        columns_of(fresh, "ops.cases")

    fresh.migrate()

    assert "case_id" in columns_of(fresh, "ops.cases")


def test_a_value_that_does_not_fit_is_named_by_its_column_alone(warehouse):
    with pytest.raises(WarehouseError, match=r"ops\.cases\.opened_at .* cannot hold a value") as refused:
        incoming(warehouse, "ops.cases", [{"case_id": "c", "opened_at": "what Jane said"}])
    assert "Jane" not in str(refused.value)
