"""The question that is asked where letters leave it open whether two names are one."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from feedback.llm.enrichment import Enrichment
from feedback.llm.join import first_other_than


class Match(BaseModel):
    label: Literal["none", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
    confidence: Annotated[float, Field(ge=0, le=1)]


MATCH = Enrichment(
    name="match",
    answer_type=Match,
    prompt=Path(__file__).with_suffix(".md").read_text(encoding="utf-8"),
    rules=(),
    join=first_other_than("none"),
    answer_tokens=12,
    unsure_below=0.6,
)
