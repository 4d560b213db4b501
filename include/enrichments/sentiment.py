"""How the customer feels."""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field

from feedback.llm.enrichment import Enrichment
from feedback.llm.join import vote
from feedback.validation.answers import answer_rules
from include.enrichments.known_texts import known

Label = Literal["positive", "neutral", "negative", "mixed"]


class Sentiment(BaseModel):
    label: Label
    score: Annotated[float, Field(ge=-1, le=1)]
    quote: Annotated[str, Field(max_length=1000)] | None
    confidence: Annotated[float, Field(ge=0, le=1)]


SENTIMENT = Enrichment(
    name="sentiment",
    answer_type=Sentiment,
    prompt=Path(__file__).with_suffix(".md").read_text(encoding="utf-8"),
    rules=answer_rules(labels=get_args(Label), ranges={"score": (-1, 1), "confidence": (0, 1)}),
    join=vote(otherwise="mixed"),
    unquoted=frozenset({"neutral"}),
    answer_tokens=15,
    unsure_below=0.5,
    known=known(
        praise={"label": "positive", "score": 0.8, "confidence": 1.0},
        anger={"label": "negative", "score": -0.8, "confidence": 1.0},
    ),
)
