"""What the engine is measured on: texts put together at random from a seed, and the two sets of questions."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Literal, get_args

from pydantic import BaseModel

from feedback.llm.enrichment import Enrichment
from feedback.llm.join import first_other_than
from include.enrichments import ENRICHMENTS

WORDS = (
    "the export button fails when I open a big board and then it is all gone until I start it over once more "
    "sync is off my bill and log in or out of the app to find a note so slow crash great love it thanks do add a "
    "team page list mode dark mail file cost plan help they said no one can see this at all for us on our new phone "
    "Wickerbee Combsync search support invoice customer calendar template"
).split()
FEWEST, MOST = 10, 120


def texts(count: int, seed: int = 20261125) -> Iterator[str]:
    """Yield different texts of 10 to 120 words in sentences; short ones are as frequent as reviews make them.

    Lengths are drawn evenly on a logarithmic scale: a text is 43 words long on average, 62 tokens of 4 characters,
    as long as those that the peers were measured on.
    """
    chance = random.Random(seed)
    for number in range(count):
        length = round(math.exp(chance.uniform(math.log(FEWEST), math.log(MOST))))
        words = [*chance.choices(WORDS, k=length - 1), str(number)]
        yield " ".join(_sentence(words[start : start + 12]) for start in range(0, length, 12))


def _sentence(words: list[str]) -> str:
    text = " ".join(words)
    return f"{text[0].upper()}{text[1:]}."


AREAS = Literal[
    "login_problem", "password_reset", "account_deletion", "price_too_high", "refund_request", "invoice_question",
    "slow_loading", "battery_drain", "app_crash", "data_loss", "sync_conflict", "offline_mode",
    "search_quality", "missing_notification", "too_many_notifications", "sharing_trouble", "permission_trouble",
    "import_failure", "export_failure", "integration_request", "design_complaint", "accessibility", "praise",
    "something_else",
]  # fmt: skip
DESCRIBED = (
    "the customer writes about {}: what they tried to do, what they saw instead, or what they would like to see,"
    " in whatever words. “It is about {} again.”"
)


class Category(BaseModel):
    label: AREAS


class Mood(BaseModel):
    label: Literal["positive", "neutral", "negative", "mixed"]


def _listed(labels: tuple[str, ...]) -> str:
    said = {label: label.replace("_", " ") for label in labels}
    return "\n".join(f"- `{label}`: {DESCRIBED.format(words, words)}" for label, words in said.items())


CATEGORY = "What is the text mainly about? Choose one label.\n\n" + _listed(get_args(AREAS))
MOOD = (
    "How does the customer feel?\n\n- `positive`: satisfied\n- `neutral`: shows no feeling\n"
    "- `negative`: dissatisfied\n- `mixed`: both in earnest"
)
PEER = (
    Enrichment("intent", Category, CATEGORY, (), first_other_than("something_else"), answer_tokens=5),
    Enrichment("sentiment", Mood, MOOD, (), first_other_than("neutral"), answer_tokens=5),
)
"""One of 24 described labels and a sentiment a row, nothing else. They borrow the tables of two of ours."""

WORKLOADS = {"peer work": PEER, "our work": ENRICHMENTS}
