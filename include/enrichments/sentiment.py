"""How the customer feels."""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field

from feedback.llm.enrichment import Enrichment
from feedback.llm.join import vote
from feedback.validation.answers import answer_rules
from feedback.validation.rule import Rule
from include.enrichments.known_texts import known

Label = Literal["positive", "neutral", "negative", "mixed"]


class Sentiment(BaseModel):
    label: Label
    score: Annotated[float, Field(ge=-1, le=1)]
    quote: Annotated[str, Field(max_length=1000)] | None
    confidence: Annotated[float, Field(ge=0, le=1)]


STARS_AGREE = Rule(
    id="stars_agree",
    scope="run",
    severity="warning",
    owner="prompts",
    runbook="Labels contradict the stars of the reviews: read twenty such items; irony is rare, a bad prompt is not.",
    condition="measured <= bound",
    measure="""
        select
            'all' as slice, failed, failed / n as measured, case when n >= 30 then 0.1 end as bound, n
        from (
            select
                cast(count(*) as double) as n,
                count_if(items.rating <= 2 and staged.label = 'positive')
                + count_if(items.rating >= 4 and staged.label = 'negative') as failed
            from staged
            join feedback.items as items on items.item_id = staged.item_id
            where items.rating <> 3 and staged.item_id not in (select item_id from rejects)
        ) as counted
        where n > 0""",
)
"""Of reviews with one, two, four or five stars at most a tenth is labelled as the opposite of its stars."""

PROMPT = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")

SENTIMENT = Enrichment(
    name="sentiment",
    answer_type=Sentiment,
    prompt=PROMPT,
    rules=(
        *answer_rules(labels=get_args(Label), ranges={"score": (-1, 1), "confidence": (0, 1)}, prompt=PROMPT),
        STARS_AGREE,
    ),
    join=vote(otherwise="mixed"),
    unquoted=frozenset({"neutral"}),
    answer_tokens=15,
    unsure_below=0.5,
    known=known(
        praise={"label": "positive", "score": 0.8, "confidence": 1.0},
        anger={"label": "negative", "score": -0.8, "confidence": 1.0},
    ),
)
