"""Every suite: the two that are about no single enrichment, and one for each enrichment's page.

The JSON beside the pages is what Great Expectations makes of them; a changed rule shows there in review.
"""

from pathlib import Path

from feedback.llm.enrichment import Enrichment
from feedback.resolution.normalise import norm
from feedback.validation.bar import Bar
from feedback.validation.golden import GOLDEN_HOLDS, approved_rule
from feedback.validation.rule import Rule
from feedback.validation.spending import budget_rule
from feedback.validation.subject import Subject, answer_subject
from include.approved import LEAST, MODELS, PROMPTS, UNHEARD
from include.enrichments import ENRICHMENTS
from include.expectations.entities import ENTITIES_SUBJECT
from include.expectations.items import ITEMS_SUBJECT
from include.settings import Settings, load


def _subject(enrichment: Enrichment) -> Subject:
    name = enrichment.name
    approved = (approved_rule(PROMPTS.get(name, ""), MODELS), GOLDEN_HOLDS)
    golden_by = {"compared": "norm", "fold": norm} if name == "mentions" else {"compared": enrichment.label_field}
    return answer_subject(
        name,
        key=enrichment.key,
        rules=(*enrichment.rules, *approved),
        label=enrichment.label_field,
        bar=Bar(frozenset(MODELS), LEAST.get(name, {}), frozenset(UNHEARD)),
        **golden_by,
    )


def limits(settings: Settings) -> tuple[Rule, ...]:
    """Return the rules of answers whose bounds a person sets."""
    return (budget_rule(settings.llm_budget_usd, settings.llm_budget_usd_day),)


ANSWER_SUBJECTS: dict[str, Subject] = {enrichment.name: _subject(enrichment) for enrichment in ENRICHMENTS}
SUBJECTS: tuple[Subject, ...] = (ITEMS_SUBJECT, *ANSWER_SUBJECTS.values(), ENTITIES_SUBJECT)
FOLDER = Path(__file__).parent


def snapshots() -> dict[Path, str]:
    """Return the JSON that each suite's file has to hold."""
    from feedback.validation.share import share_rule
    from feedback.validation.suite import exported

    bounds = {subject.name: limits(load({})) if subject.kind == "answers" else () for subject in SUBJECTS}
    return {
        FOLDER / f"{subject.name}.json": exported(
            subject.name, (*subject.rules, *bounds[subject.name], share_rule(0.05))
        )
        for subject in SUBJECTS
    }


def write_snapshots() -> list[Path]:
    """Write each suite's JSON anew; return the files that changed."""
    changed = [file for file, text in snapshots().items() if not file.exists() or file.read_text() != text]
    for file in changed:
        file.write_text(snapshots()[file])
    return changed
