"""Which parts of the product it is about: a taxonomy for any software product."""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field

from feedback.llm.enrichment import Enrichment
from feedback.llm.join import union
from feedback.validation.answers import answer_rules
from include.enrichments.known_texts import known

Label = Literal[
    "login_and_account",
    "billing_and_pricing",
    "performance",
    "stability",
    "user_interface",
    "editing_and_content",
    "search",
    "notifications",
    "sharing_and_collaboration",
    "permissions_and_security",
    "sync_and_offline",
    "import_and_export",
    "integrations_and_api",
    "mobile_app",
    "documentation_and_help",
    "support_service",
]


class Area(BaseModel):
    label: Label
    quote: Annotated[str, Field(max_length=1000)]
    confidence: Annotated[float, Field(ge=0, le=1)]


class Areas(BaseModel):
    areas: list[Area]


AREA = Enrichment(
    name="area",
    answer_type=Areas,
    prompt=Path(__file__).with_suffix(".md").read_text(encoding="utf-8"),
    rules=answer_rules(labels=get_args(Label), ranges={"confidence": (0, 1)}, key=("item_id", "label")),
    key=("item_id", "label"),
    join=union("areas", "label"),
    answer_tokens=15,
    unsure_below=0.4,
    known=known(praise={"areas": []}, anger={"areas": []}),
)
