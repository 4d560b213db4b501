"""Which prompts and models may answer without a word, and how right each has to be about golden items.

A prompt's version is in ``make eval``. A changed prompt or another model still publishes, with a warning, until
its line stands here. A model that is listed under ``LEAST`` blocks what it is worse at: the lower bound of its
share of right golden answers, over at least 50 of them, has to reach the number.
"""

PROMPTS = {
    "sentiment": "14789a1c44f3",
    "intent": "ff104984cd99",
    "area": "1ab03c6e4de2",
    "mentions": "c6997829d13e",
}
"""The approved version of each prompt."""

MODELS = ("offline", "gpt-6-luna", "gpt-6-sol")
"""The models that may answer: the offline model, which is none and says so, and those of the price table."""

LEAST: dict[str, dict[str, float]] = {"sentiment": {}, "intent": {}, "area": {}, "mentions": {}}
"""By enrichment and model, for example ``{"sentiment": {"gpt-6-luna": 0.8}}``: what you have measured on your own
golden items, less what you are ready to lose. The bundled ones are about an invented product: they judge nobody."""
