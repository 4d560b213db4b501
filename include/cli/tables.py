"""``make tables``: docs/tables.md, written from the comments in include/sql."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from include.cli.ddl import SQL, Relation, relations

HELP = "write docs/tables.md from the comments in include/sql"
PAGE = SQL.parents[1] / "docs" / "tables.md"
SCHEMAS = {
    "feedback": "What is published: only rows that passed their suite, only what is alive.",
    "marts": "What analysts read first.",
    "raw": "What the sources said, newest version, nothing left out. Personal data stands here unmasked.",
    "ops": "What the pipeline knows about itself: ledgers, verdicts of the gate, what waits for a person.",
    "staging": "What a run proposes, before its suite has judged it.",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not current")


def main(options: argparse.Namespace) -> int:
    """Write the page, or say whether it is current."""
    page = written(relations())
    if not options.check:
        PAGE.write_text(page, "utf-8")
        print(f"wrote {_shown(PAGE)}")
        return 0
    if PAGE.exists() and PAGE.read_text("utf-8") == page:
        return 0
    print(f"{_shown(PAGE)} is not what include/sql says: run `python -m include.cli tables`")
    return 1


def written(described: list[Relation]) -> str:
    """Return the page in Markdown."""
    lines = [
        "# Tables",
        "",
        "<!-- Written by `python -m include.cli tables` from the comments in include/sql: edit those. -->",
        "",
        "The names are the same on DuckDB and Snowflake. Times are UTC without zone. Each table says what one row is,",
        "what identifies it and when it moves; no database enforces the keys, the suites check them.",
    ]
    for schema, sentence in SCHEMAS.items():
        lines += ["", f"## {schema}", "", sentence]
        for relation in described:
            if relation.schema == schema:
                lines += ["", *_section(relation)]
    return "\n".join(lines) + "\n"


def _section(relation: Relation) -> Iterator[str]:
    yield f"### {relation.name}"
    yield ""
    yield f"{relation.sentence}{' (A view.)' if relation.kind == 'view' else ''}"
    yield ""
    yield f"Key: {relation.key}. Fresh: {relation.freshness}."
    yield ""
    if relation.twin:
        yield f"The columns of [{relation.twin}](#{relation.twin.replace('.', '')}), and:"
        yield ""
    yield from _columns(relation)
    if relation.example:
        yield from ("", "```sql", relation.example, "```")


def _columns(relation: Relation) -> Iterator[str]:
    has_types = relation.kind == "table"
    yield "| column | type | what it holds |" if has_types else "| column | what it holds |"
    yield "|---|---|---|" if has_types else "|---|---|"
    for column in relation.columns:
        kind = f" {column.type} |" if has_types else ""
        yield f"| {column.name} |{kind} {column.comment.replace('|', chr(92) + '|')} |"


def _shown(path: Path) -> Path:
    return path.relative_to(SQL.parents[1])
