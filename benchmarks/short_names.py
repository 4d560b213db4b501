"""Short names of invented companies and products, each written in several ways: what the benchmarks resolve.

Seed and noise rates stand here. Any CSV of ``name,group`` may take the place of what is generated.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

SEED = 20261125
SIZES = {1: 0.80, 2: 0.11, 3: 0.05, 4: 0.03, 6: 0.01}
"""How many ways of writing a thing has."""
COUSINS = 0.35
"""Chance that a thing shares its first word with another one, as companies of a family or a place do."""
TOKENS = {1: 0.35, 2: 0.45, 3: 0.20}
NOISE = {
    "case": 0.35,
    "suffix": 0.45,
    "typo": 0.22,
    "joined": 0.12,
    "dropped": 0.12,
    "order": 0.08,
    "abbreviated": 0.06,
    "script": 0.02,
}
"""Chance of each change when a name is written once more; several may meet."""

ONSETS = "b br c ch cl d dr f fl g gl gr h j k kr l m n p pl pr qu r s sh sk st t th tr v w z".split()
VOWELS = "a e i o u ai ea ee io oa ou".split()
CODAS = ["", "", "", *"b ck d l ll m n nd ng nt p r rk rn s ss st t x".split()]
TRADES = (
    "labs systems cloud analytics software technologies group partners media health foods energy logistics bank capital"
    " networks studio works digital data security robotics pharma motors airlines solutions consulting insurance tools"
    " international global mobile design print travel games learning home garden water steel paper glass air marine"
).split()
SUFFIXES = ("Inc", "Inc.", "Ltd", "GmbH", "LLC", "Corp", "Corporation", "S.A.", "AG", "PLC", "BV", "Co")
CYRILLIC = dict(zip("abcdefghijklmnopqrstuvwxyz", "абкдефгхижклмнопкрстуввхыз", strict=True))


def generated(count: int, seed: int = SEED) -> list[tuple[str, str]]:
    """Return so many names, each with the thing it stands for, in random order."""
    chance = random.Random(seed)
    names: list[tuple[str, str]] = []
    firsts: list[str] = []
    taken: set[str] = set()
    for group in range(count):
        while (plain := _cousin(_invented(chance), firsts, chance)) in taken:
            pass
        taken.add(plain)
        firsts.append(plain.split()[0])
        size = chance.choices([*SIZES], [*SIZES.values()])[0]
        names += [(name, str(group)) for name in [plain, *(_again(plain, chance) for _ in range(size - 1))]]
        if len(names) >= count:
            break
    chance.shuffle(names)
    return names[:count]


def read(path: Path) -> list[tuple[str, str]]:
    """Return the names and groups of a CSV with the columns ``name`` and ``group``."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["name"], row["group"]) for row in csv.DictReader(file)]


def _invented(chance: random.Random) -> str:
    tokens = chance.choices([*TOKENS], [*TOKENS.values()])[0]
    words = [_word(chance)]
    words += [chance.choice(TRADES) if chance.random() < 0.7 else _word(chance) for _ in range(tokens - 1)]
    return " ".join(word.capitalize() for word in words)


def _cousin(name: str, firsts: list[str], chance: random.Random) -> str:
    if not firsts or chance.random() >= COUSINS:
        return name
    return " ".join([chance.choice(firsts), *(name.split()[1:] or [chance.choice(TRADES).capitalize()])])


def _word(chance: random.Random) -> str:
    parts: Iterator[str] = (
        chance.choice(ONSETS) + chance.choice(VOWELS) + chance.choice(CODAS) for _ in range(chance.choice((2, 2, 3)))
    )
    return "".join(parts)


def _again(name: str, chance: random.Random) -> str:
    """Write a name once more, as somebody else would."""
    words = name.split()
    happens = {change: chance.random() < rate for change, rate in NOISE.items()}
    if happens["abbreviated"] and len(words) > 2:
        return "".join(word[0] for word in words)
    if happens["dropped"] and len(words) > 1:
        words.pop()
    if happens["order"] and len(words) > 1:
        words = [*words[1:], words[0]]
    if happens["typo"]:
        at = chance.randrange(len(words))
        words[at] = _mistyped(words[at], chance)
    written = ("" if happens["joined"] else " ").join(words)
    if happens["case"]:
        written = chance.choice((str.lower, str.upper))(written)
    if happens["script"]:
        written = "".join(CYRILLIC.get(char, char) for char in written.lower())
    return f"{written} {chance.choice(SUFFIXES)}" if happens["suffix"] else written


def _mistyped(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word))
    letter = chance.choice("abcdefghijklmnopqrstuvwxyz")
    return chance.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
        )
    )
