"""What asking would cost, before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from feedback.llm.enrichment import Enrichment
from feedback.llm.owed import Owed
from feedback.llm.pack import Row, packs
from feedback.llm.prices import Model, Usage
from feedback.llm.questions import Registry


@dataclass(frozen=True)
class Estimate:
    """Rows, calls, tokens and US dollars, estimated; the ledger's and the provider's caches would make it less."""

    rows: int
    questions: int
    calls: int
    input_tokens: int
    output_tokens: int
    usd: float


def estimate(
    rows: Iterable[Row], enrichments: Sequence[Enrichment], model: Model, most_rows: int, mode: str = "online"
) -> Estimate:
    """Return what asking these rows would cost at the usual length of an answer."""
    asked = list(packs(rows, Registry(enrichments), model, most_rows))
    usage = Usage(
        input_tokens=sum(pack.input_tokens for pack in asked), output_tokens=sum(pack.answer_tokens for pack in asked)
    )
    return Estimate(
        rows=sum(len(pack.rows) for pack in asked),
        questions=sum(len(row.owed) for pack in asked for row in pack.rows),
        calls=len(asked),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        usd=model.cost(usage) * model.share(mode),
    )


def rows_of(owed: Iterable[Owed]) -> list[Row]:
    """Return each distinct text and rating once, with every question that an item of that text owes."""
    texts: dict[str, tuple[Owed, dict[str, None], dict[str, None]]] = {}
    for item in owed:
        _, names, afresh = texts.setdefault(item.key, (item, {}, {}))
        names |= dict.fromkeys(item.enrichments)
        afresh |= dict.fromkeys(item.afresh)
    return [Row(item.text, item.rating, tuple(names), tuple(afresh)) for item, names, afresh in texts.values()]
