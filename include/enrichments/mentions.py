"""Names of products, features and companies, as they are written; which entity they stand for is resolved later."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from feedback.llm.enrichment import Enrichment
from feedback.llm.join import union
from feedback.resolution.normalise import mention_id, norm
from feedback.validation.answers import answer_rules
from include.enrichments.known_texts import known


class Mention(BaseModel):
    kind: Literal["product", "feature", "company"]
    surface: Annotated[str, Field(min_length=1, max_length=200)]
    quote: Annotated[str, Field(max_length=1000)]


class Mentions(BaseModel):
    mentions: list[Mention]


def identity(item_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the name is compared, and the id of the mention."""
    compared = norm(row["surface"])
    return {"norm": compared, "mention_id": mention_id(item_id, row["kind"], compared)}


MENTIONS = Enrichment(
    name="mentions",
    answer_type=Mentions,
    prompt=Path(__file__).with_suffix(".md").read_text(encoding="utf-8"),
    rules=answer_rules(key=("mention_id",)),
    key=("mention_id",),
    join=union("mentions", "kind", "surface"),
    derive=identity,
    answer_tokens=15,
    known=known(praise={"mentions": []}, anger={"mentions": []}),
)
