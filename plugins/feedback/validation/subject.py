"""What a gate is about: which staged tables, what identifies their rows, which rules they must keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from feedback.validation.bar import Bar
from feedback.validation.rule import Rule


@dataclass(frozen=True)
class Table:
    """A staged table and the published twin that it goes to.

    :param key: what identifies a row; a published row gives way to a staged one of its key.
    """

    name: str
    key: tuple[str, ...]
    schema: str = "feedback"

    @property
    def staged(self) -> str:
        return f"staging.{self.name}"

    @property
    def published(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Subject:
    """What is judged together and published together.

    :param name: as in ``ops.validations``: ``items``, an enrichment, ``entities``.
    :param kind: how it is published.
    :param tables: the first holds the rows that row rules judge; what goes along follows.
    :param rules: what must hold.
    :param answered_by: kind ``items`` only: the enrichments whose answers age when a text changes.
    :param label: kind ``answers`` only: the column whose values should be given as often as ever.
    :param compared: the same: the column that is held against golden answers, folded as they are by ``fold``.
    :param bar: the same: what golden answers decide.
    """

    name: str
    kind: Literal["items", "answers", "entities"]
    tables: tuple[Table, ...]
    rules: tuple[Rule, ...]
    answered_by: tuple[str, ...] = ()
    label: str = "label"
    compared: str = "label"
    fold: Callable[[str], str] = str.casefold
    bar: Bar = field(default_factory=Bar)

    @property
    def judged(self) -> Table:
        """The table whose rows are judged one by one."""
        return self.tables[0]

    @property
    def row_key(self) -> str:
        """SQL for the key of a judged row as one string."""
        return joined(self.judged.key)

    @property
    def item_id(self) -> str:
        """SQL for what is set aside together with a bad row: its item, or itself where there is none."""
        return joined(self.judged.key if self.kind == "entities" else ("item_id",))

    @property
    def content_hash(self) -> str:
        """SQL for the hash of the text a row is about; empty for entities."""
        return "''" if self.kind == "entities" else joined(("content_hash",))

    @property
    def prompt_version(self) -> str:
        """SQL for the version of the prompt a row answers; empty where none asked."""
        return joined(("prompt_version",)) if self.kind == "answers" else "''"


def answer_subject(name: str, *, key: Sequence[str], rules: Sequence[Rule], **options: Any) -> Subject:
    """Return what the gate of one enrichment is about; options are those of ``Subject``."""
    return Subject(name=name, kind="answers", tables=(Table(name, tuple(key)),), rules=tuple(rules), **options)


def joined(columns: Sequence[str]) -> str:
    """Return SQL for columns as one string, NULL as nothing."""
    return " || '|' || ".join(f"coalesce(cast({column} as varchar), '')" for column in columns)
