"""``make check``: is all our SQL Snowflake's, does no name of ours hurt there, is every table described."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from feedback.warehouse.sql_text import statements
from include.cli.ddl import SQL, relations

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

HELP = "check that all SQL parses as Snowflake's, uses no reserved word as a name and describes every table"
ROOT = SQL.parents[1]
PYTHON = ("plugins", "include", "dags")

_STATEMENT = re.compile(
    r"(select\s.+\sfrom|insert into|delete from|update [\w.]+ set|merge into|with \w+ as \()\s", re.DOTALL
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take no options."""


def main(options: argparse.Namespace) -> int:
    """Print what is wrong, a line each, and return 1 if anything is."""
    complaints = [*check_scripts(SQL), *check_python(ROOT), *check_descriptions(SQL)]
    for complaint in complaints:
        print(complaint)
    if not complaints:
        print("all SQL parses as Snowflake's, no name is reserved there, every table is described")
    return 1 if complaints else 0


def check_scripts(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the statements of the .sql files and with the names they make."""
    reserved = reserved_words(folder)
    for file in sorted(folder.rglob("*.sql")):
        for statement in statements(file.read_text("utf-8")):
            parsed = parse(statement)
            if isinstance(parsed, str):
                yield f"{file.name}: {parsed}"
                continue
            for name in sorted(set(made_names(parsed)) & reserved):
                yield f"{file.name}: `{name}` is a reserved word of Snowflake and cannot name a column"


def check_python(root: Path) -> Iterator[str]:
    """Yield the statements inside Python that do not parse or use a reserved word as a name.

    What an f-string fills in counts as a name.
    """
    reserved = reserved_words(SQL)
    for file in sorted(file for folder in PYTHON for file in (root / folder).rglob("*.py")):
        for line, text in _strings(ast.parse(file.read_text("utf-8"))):
            if not _STATEMENT.match(text.lstrip()):
                continue
            parsed = parse(text)
            if isinstance(parsed, str):
                yield f"{file.relative_to(root)}:{line}: {parsed}"
                continue
            for name in sorted(_names(parsed) & reserved):
                yield f"{file.relative_to(root)}:{line}: `{name}` is a reserved word of Snowflake"


def reserved_words(folder: Path) -> set[str]:
    """Return the words that Snowflake keeps for itself."""
    words = (folder / "reserved_words.txt").read_text("utf-8").splitlines()
    return {word for word in words if not word.startswith("#")}


def check_descriptions(folder: Path) -> Iterator[str]:
    """Yield the tables and columns that lack the comment which docs/tables.md is made from."""
    described = {relation.name: relation for relation in relations(folder)}
    for file in sorted(folder.rglob("*.sql")):
        for statement in statements(file.read_text("utf-8")):
            made = re.match(r"create (?:transient )?(?:table|view) (?:if not exists )?([\w.]+)", statement)
            if made is None:
                continue
            relation = described.get(made[1])
            if relation is None or not (relation.sentence and relation.key and relation.freshness):
                yield f"{file.name}: {made[1]} needs a sentence, `-- key:` and `-- freshness:` above it"
                continue
            parsed = parse(statement)
            names = set() if isinstance(parsed, str) else set(made_names(parsed))
            for name in sorted(names - {column.name for column in relation.columns}):
                yield f"{file.name}: {made[1]}.{name} needs a comment"


def parse(statement: str) -> Expr | str:
    """Return a statement parsed as Snowflake's, or what is wrong with it."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        parsed = sqlglot.parse_one(statement, read="snowflake")
    except SqlglotError as error:
        return f"`{statement[:60]} …` does not parse as Snowflake's: {str(error).splitlines()[0]}"
    # What sqlglot does not know, it keeps as a command without looking into it.
    return f"`{statement[:60]} …` is no statement we know" if isinstance(parsed, exp.Command) else parsed


def _names(parsed: Expr) -> set[str]:
    """Return every name in a statement: of columns, tables and aliases."""
    from sqlglot import exp

    return {name.name.lower() for name in parsed.find_all(exp.Identifier)}


def made_names(parsed: Expr) -> list[str]:
    """Return the names of the columns that a CREATE statement makes itself."""
    from sqlglot import exp

    if not isinstance(parsed, exp.Create):
        return []
    if isinstance(parsed.expression, exp.Query):
        return [name for name in parsed.expression.named_selects if name != "*"]
    return [column.name for column in parsed.find_all(exp.ColumnDef)]


def _strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the strings of a module; a piece of a longer one is not a string of its own."""
    pieces = {id(piece) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for piece in ast.walk(node)}
    added = {id(side) for node in ast.walk(tree) if isinstance(node, ast.BinOp) for side in (node.left, node.right)}
    for node in ast.walk(tree):
        if id(node) in added:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(v.value) if isinstance(v, ast.Constant) else "filled" for v in node.values)
            yield node.lineno, re.sub(r"\)\s+filled$", ") select 1", text)  # what an insert ends with is a query
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            yield node.lineno, re.sub(r"\{\w+\}", "filled", node.value)
