"""Who may import whom, drawn from the code itself: arrows fall, and none go round."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GROUND = {"model", "errors", "warehouse", "__init__"}
ENGINES = {"sources", "text", "llm", "resolution", "validation", "digest", "erasure"}
AIRFLOW_SIDE = {"operators", "triggers", "notifications", "hooks"}


def imports(file: Path) -> set[str]:
    """Return the dotted names a file imports, at any depth."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def room(name: str) -> str:
    """Return the second part of ``feedback.<room>…``."""
    return name.split(".")[1] if name.count(".") else ""


@pytest.mark.parametrize("file", files("plugins"), ids=lambda f: f.relative_to(ROOT).as_posix())
def test_plugins_know_nothing_of_include_and_dags(file):
    assert [name for name in imports(file) if name.split(".")[0] in ("include", "dags")] == []


@pytest.mark.parametrize("file", files("include"), ids=lambda f: f.relative_to(ROOT).as_posix())
def test_include_knows_no_dag_and_no_operator(file):
    upward = [n for n in imports(file) if n.split(".")[0] == "dags" or n.startswith("feedback.operators")]

    assert upward == []


def test_only_the_command_line_knows_the_command_line():
    others = [file for file in files("include") if not file.is_relative_to(ROOT / "include/cli")]

    assert {(file.name, name) for file in others for name in imports(file) if name.startswith("include.cli")} == set()


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_engines_know_neither_airflow_nor_operators(engine):
    upward = {
        (file.name, name)
        for file in files(f"plugins/feedback/{engine}")
        for name in imports(file)
        if name.split(".")[0] == "airflow" or (name.startswith("feedback.") and room(name) in AIRFLOW_SIDE)
    }

    assert upward == set()


def test_the_ground_knows_nothing_above_it():
    ground = [
        ROOT / "plugins/feedback/model.py",
        ROOT / "plugins/feedback/errors.py",
        *files("plugins/feedback/warehouse"),
    ]
    upward = {
        (file.name, name)
        for file in ground
        for name in imports(file)
        if name.startswith("feedback.") and room(name) not in GROUND
    }

    assert upward == set()


def test_no_two_rooms_import_each_other():
    arrows: dict[str, set[str]] = {}
    for file in files("plugins/feedback"):
        own = file.relative_to(ROOT / "plugins/feedback").parts[0].removesuffix(".py")
        targets = {room(name) for name in imports(file) if name.startswith("feedback.")}
        arrows.setdefault(own, set()).update(targets & (ENGINES | AIRFLOW_SIDE | {"warehouse"}) - {own})

    circles = {(a, b) for a, targets in arrows.items() for b in targets if a in arrows.get(b, set())}
    assert circles == set()
