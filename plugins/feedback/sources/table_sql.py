"""What is asked of a table: how it is, what of it is new, in which shards.

What is owed is found by an anti-join with ``raw.texts``, inside the warehouse: only what differs leaves it.
These texts are filled with nothing but identifiers that ``table_columns`` has quoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SHARD_CHARACTERS = 8_000_000
ROW_CHARACTERS = 400
"""What a row takes beside its words."""
TIMES = ("created_at", "updated_at")
SAID = "said"
"""What the table is called inside: a column of its own may be called as one that we make."""


@dataclass(frozen=True)
class TableSql:
    """The queries about one table.

    :param table: as quoted.
    :param columns: as quoted, after ``said.``, by the column of ``raw.texts`` that they fill.
    :param meaning: a plain word that counts beside the columns: with another one every row is another.
    :param is_windowed: whether only what was changed since a moment is compared.
    :param has_repeats: whether keys come again: of their rows the newest is found, which takes ten times as long.
    """

    table: str
    columns: Mapping[str, str]
    meaning: str
    is_windowed: bool = False
    has_repeats: bool = False

    @property
    def state(self) -> str:
        """How many rows, keys and different keys; ratings that are none; the latest change up to a moment."""
        key, updated = self.columns["id"], self.columns.get("updated_at", "cast(null as timestamp_ntz)")
        stars = self.columns.get("rating", "cast(null as integer)")
        return f"""
            select count(*) as n, count({key}) as keys, count(distinct {key}) as ids,
                count({stars}) - count({_stars(stars)}) as unrated,
                max(case when {updated} <= cast(? as timestamp_ntz) then {updated} end) as upto
            from {self.table} as {SAID}
        """

    @property
    def shards(self) -> str:
        """The last id of each shard of what is owed, and its rows. Asks for the moment, if any, and the source."""
        return f"""
            select max(id) as upto, count(*) as n
            from (
                select id, floor(sum(size) over (order by id rows between unbounded preceding and current row)
                    / {SHARD_CHARACTERS}) as shard
                from ({self._owed("1 = 1")}) as owed
            ) as sized
            group by shard
            order by upto
        """

    @property
    def shard(self) -> str:
        """The owed rows after one id and up to another. Asks for the moment, if any, both ids and the source."""
        key = f"cast({self.columns['id']} as varchar)"
        return f"select * from ({self._owed(f'{key} > ? and {key} <= ?')}) as owed order by id"

    def met(self, source: str) -> str:
        """Every row of the table by its key in ``raw.texts``."""
        key = self.columns["id"]
        row_key = f"'{source}|' || cast({key} as varchar)"
        return f"select distinct {row_key} as row_key from {self.table} as {SAID} where {key} is not null"

    def _owed(self, stretch: str) -> str:
        """The rows that raw has not, or has otherwise. Of rows with one key the newest counts."""
        columns, key = self.columns, self.columns["id"]
        selected = ", ".join(f"{_read(name, column)} as {name}" for name, column in columns.items())
        parts = (f"coalesce(md5(cast({column} as varchar)), '-')" for column in columns.values())
        hashed = f"md5({' || '.join(parts)} || '{self.meaning}')"
        words = " + ".join(f"coalesce(length({columns[name]}), 0)" for name in ("body", "title") if name in columns)
        newest = f"{columns['updated_at']} desc nulls last" if "updated_at" in columns else "1"
        once = f" qualify row_number() over (partition by {key} order by {newest}, {hashed}) = 1"
        return f"""
            select listed.*, known.changed_at as known_at, known.updated_at as known_version
            from (
                select {selected}, {hashed} as row_hash, {ROW_CHARACTERS} + {words} as size
                from {self.table} as {SAID}
                where {key} is not null and {self._window} and {stretch}{once if self.has_repeats else ""}
            ) as listed
            left join raw.texts as known on known.source = ? and known.id = listed.id
            where known.id is null or (known.is_deleted or known.row_hash <> listed.row_hash) and not {self._is_gone}
        """

    @property
    def _is_gone(self) -> str:
        """Whether the words of a known row were erased for good, or have expired and were not changed since."""
        later = "coalesce(listed.updated_at > known.updated_at, false)" if "updated_at" in self.columns else "false"
        return f"(known.row_hash = 'erased' or known.row_hash = 'expired' and not {later})"

    @property
    def _window(self) -> str:
        if not self.is_windowed:
            return "1 = 1"
        updated = self.columns["updated_at"]
        return f"({updated} >= cast(? as timestamp_ntz) or {updated} is null)"


def _read(name: str, column: str) -> str:
    if name == "rating":
        return _stars(column)
    return column if name in TIMES else f"cast({column} as varchar)"


def _stars(column: str) -> str:
    """Whole stars from one to five; anything else is none."""
    return f"case when {column} between 1 and 5 and {column} = floor({column}) then cast({column} as integer) end"
