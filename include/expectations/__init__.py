"""Every suite: the two that are about no single enrichment, and one for each enrichment's page.

The JSON beside the pages is what Great Expectations makes of them; a changed rule shows there in review.
"""

from pathlib import Path

from feedback.validation.subject import Subject, answer_subject
from include.enrichments import ENRICHMENTS
from include.expectations.entities import ENTITIES_SUBJECT
from include.expectations.items import ITEMS_SUBJECT

ANSWER_SUBJECTS: dict[str, Subject] = {
    enrichment.name: answer_subject(enrichment.name, key=enrichment.key, rules=enrichment.rules)
    for enrichment in ENRICHMENTS
}
SUBJECTS: tuple[Subject, ...] = (ITEMS_SUBJECT, *ANSWER_SUBJECTS.values(), ENTITIES_SUBJECT)
FOLDER = Path(__file__).parent


def snapshots() -> dict[Path, str]:
    """Return the JSON that each suite's file has to hold."""
    from feedback.validation.share import share_rule
    from feedback.validation.suite import exported

    return {
        FOLDER / f"{subject.name}.json": exported(subject.name, (*subject.rules, share_rule(0.05)))
        for subject in SUBJECTS
    }


def write_snapshots() -> list[Path]:
    """Write each suite's JSON anew; return the files that changed."""
    changed = [file for file, text in snapshots().items() if not file.exists() or file.read_text() != text]
    for file in changed:
        file.write_text(snapshots()[file])
    return changed
