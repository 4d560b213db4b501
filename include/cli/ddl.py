"""What include/sql says about our tables and views, read from its comments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SQL = Path(__file__).resolve().parents[1] / "sql"

_RELATION = re.compile(
    r"^(?P<header>(?:--[^\n]*\n)*)create (?:transient )?(?P<kind>table|view) (?:if not exists )?(?P<name>[\w.]+)"
    r"(?P<body>.*?);$",
    re.MULTILINE | re.DOTALL,
)
_COLUMN = re.compile(r"^\s*(?P<made>\S.*?),?[ ]+-- (?P<comment>.+)$", re.MULTILINE)
_TAG = re.compile(r"(key|freshness|example): (.+)")


@dataclass(frozen=True)
class Column:
    """One column. ``type`` is empty for a view's."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Relation:
    """A table or a view, as its comments describe it. ``twin`` is the table whose columns it also has."""

    name: str
    kind: str
    sentence: str
    key: str | None
    freshness: str | None
    example: str | None
    columns: tuple[Column, ...]
    twin: str | None

    @property
    def schema(self) -> str:
        """The first part of the name."""
        return self.name.split(".")[0]


def relations(folder: Path = SQL) -> list[Relation]:
    """Return every table and view, in the order in which they are made."""
    files = sorted((folder / "ddl").glob("*.sql")) + sorted((folder / "views").glob("*.sql"))
    return [_relation(found) for file in files for found in _RELATION.finditer(file.read_text("utf-8"))]


def _relation(found: re.Match[str]) -> Relation:
    lines = [line.removeprefix("-- ") for line in found["header"].splitlines()]
    tags = {tag[1]: tag[2] for line in lines if (tag := _TAG.fullmatch(line))}
    twin = re.search(r"from ([\w.]+) as twin", found["body"])
    listed = found["body"].rsplit("\nselect\n", 1)[-1]  # of a view only what it gives, not how it comes by it
    return Relation(
        name=found["name"],
        kind=found["kind"],
        sentence=" ".join(line for line in lines if not _TAG.fullmatch(line)),
        key=tags.get("key"),
        freshness=tags.get("freshness"),
        example=tags.get("example"),
        columns=tuple(_column(column["made"], column["comment"]) for column in _COLUMN.finditer(listed)),
        twin=twin[1] if twin else None,
    )


def _column(made: str, comment: str) -> Column:
    if " as " in made:
        value, name = made.rsplit(" as ", 1)
        cast = re.fullmatch(r"cast\(null as (\w+)\)", value)
        return Column(name, cast[1] if cast else "", comment)
    name, _, kind = made.partition(" ")
    return Column(name.split(".")[-1], kind, comment)
