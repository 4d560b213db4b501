"""How the customer feels."""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field

from feedback.llm.enrichment import Enrichment
from feedback.llm.join import vote
from feedback.validation.answers import answer_rules

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
    answer_tokens=50,
)
