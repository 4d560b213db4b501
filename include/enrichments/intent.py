"""What the customer wants."""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field

from feedback.llm.enrichment import Enrichment
from feedback.llm.join import first_other_than
from feedback.validation.answers import answer_rules
from include.enrichments.known_texts import known

Label = Literal["bug_report", "feature_request", "question", "praise", "complaint", "other"]


class Intent(BaseModel):
    label: Label
    quote: Annotated[str, Field(max_length=1000)] | None
    confidence: Annotated[float, Field(ge=0, le=1)]


INTENT = Enrichment(
    name="intent",
    answer_type=Intent,
    prompt=Path(__file__).with_suffix(".md").read_text(encoding="utf-8"),
    rules=answer_rules(labels=get_args(Label), ranges={"confidence": (0, 1)}),
    join=first_other_than("other"),
    unquoted=frozenset({"other"}),
    answer_tokens=12,
    unsure_below=0.5,
    known=known(praise={"label": "praise", "confidence": 1.0}, anger={"label": "complaint", "confidence": 1.0}),
)
