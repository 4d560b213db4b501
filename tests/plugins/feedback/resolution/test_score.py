"""How likely two names are one: by letters alone, and as past decisions teach."""

from itertools import combinations

import pytest

from feedback.resolution.match import Band
from feedback.resolution.score import ENOUGH, Decided, Letters, Scorer, ordered

BAND = Band()
PLACES = [
    f"{first}{last}" for first in ("north", "east", "wood", "stone", "mill") for last in ("moor", "field", "gate")
]
TRADES = ("lifts", "cranes", "labs", "software", "logistics", "media", "energy", "capital")


def likely(*pairs, among=()):
    letters = Letters({name for pair in pairs for name in pair} | set(among))
    return Scorer(letters)([ordered(*pair) for pair in pairs])


NAMES = [f"{place} {trade}" for place in PLACES for trade in TRADES]


@pytest.mark.parametrize(
    "pair",
    [
        ("northmoor lifts", "lifts northmoor"),
        ("northmoor lifts", "northmoorlifts"),
        ("salesforce", "salesforces"),
        ("трандлворк", "trandlvork"),
    ],
)
def test_letters_alone_know_another_order_joined_words_typos_and_scripts(pair):
    assert likely(pair, among=NAMES)[0] > 0.8


@pytest.mark.parametrize(
    "pair",
    [("northmoor", "northmoor lifts"), ("asm", "advanced semi materials"), ("northmoorlifts", "lifts northmoor")],
)
def test_a_name_with_a_word_more_or_its_initials_is_asked_about(pair):
    assert BAND.low < likely(pair, among=NAMES)[0] < BAND.high


def test_a_word_that_many_names_have_says_little():
    assert likely(("northmoor software", "eastfield software"), among=NAMES)[0] < BAND.low


def test_what_is_learnt_of_doubtful_pairs_does_not_unlearn_what_letters_are_sure_of():
    turned = [" ".join(reversed(name.split())) for name in NAMES]
    letters = Letters({*NAMES, *turned, *PLACES})
    scorer = Scorer(letters)
    doubtful = [ordered(name, name.split()[0]) for name in NAMES]
    decided = [Decided(pair, float(number % 8 == 0)) for number, pair in enumerate(doubtful)]
    assert len(decided) >= ENOUGH

    sure = [ordered(*pair) for pair in zip(NAMES, turned, strict=True)]
    unlike = [ordered(*pair) for pair in combinations(NAMES, 2) if set(pair[0].split()).isdisjoint(pair[1].split())]
    scorer.learn(decided, [*sure, *unlike])

    assert scorer.has_learnt
    assert min(scorer(sure)) > 0.8
    assert max(scorer(unlike)) < 0.5
