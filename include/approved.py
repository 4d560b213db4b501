"""Which prompts and models may answer without a word, and how right each has to be about golden items.

A prompt's version is in ``make eval``. A changed prompt, or another model, is asked the golden items beside its first
batch. With 50 of them or more, a model of ``MODELS`` publishes only what is as right as what is published, or as
``LEAST`` demands. With fewer it publishes, and the gate says ``not_enough_history``. It warns until the version of the
prompt and the model stand here.
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

UNHEARD = ("sample",)
"""Authors of golden answers that are shown and decide nothing: the bundled ones are about an invented product."""

LEAST: dict[str, dict[str, float]] = {"sentiment": {}, "intent": {}, "area": {}, "mentions": {}}
"""By enrichment and model, for example ``{"sentiment": {"gpt-6-luna": 0.8}}``: a lower bound to reach in place of what
is published, as you have measured it, less what you are ready to lose."""
