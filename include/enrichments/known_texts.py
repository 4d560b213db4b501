"""Texts that need no model: what many customers write word for word, with the answer to each question.

Compared without case, full stops and exclamation marks. Where there are stars, they have to agree with the words.
"""

from feedback.llm.enrichment import Known

PRAISE = frozenset(
    (
        *("good", "very good", "nice", "very nice", "great", "excellent", "awesome", "amazing", "perfect", "superb"),
        *("good app", "nice app", "great app", "best app", "excellent app", "awesome app", "amazing app"),
        *(
            "best app ever",
            "very good app",
            "very nice app",
            "love it",
            "i love it",
            "love this app",
            "i love this app",
        ),
    )
)
ANGER = frozenset(
    (
        *("bad", "very bad", "worst", "terrible", "horrible", "awful", "useless", "rubbish"),
        *("bad app", "very bad app", "worst app", "worst app ever", "terrible app", "horrible app", "useless app"),
        *("hate it", "i hate it", "hate this app", "i hate this app"),
    )
)


def known(praise: dict[str, object], anger: dict[str, object]) -> tuple[Known, ...]:
    """Return the texts with what a question is answered for each kind of them."""
    return Known(PRAISE, frozenset({4, 5}), praise), Known(ANGER, frozenset({1, 2}), anger)
