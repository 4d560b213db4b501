"""Every asset, upstream to downstream: the map of the house.

A table's asset is named as the table. Its uri has a scheme of our own, because a provider's scheme
(`snowflake://`) would be normalised, and refused, by that provider.
"""

from airflow.sdk import Asset

from include import settings
from include.enrichments import ENRICHMENTS

_SETTINGS = settings.load()


def _table(name: str) -> Asset:
    schema, table = name.split(".")
    return Asset(name, uri=f"x-feedback://{schema}/{table}", group="feedback")


# What wakes us: updated by the company's own warehouse Dag, wherever it runs.
WAREHOUSE = (
    Asset(_SETTINGS.warehouse_asset, uri=_SETTINGS.warehouse_asset_uri)
    if _SETTINGS.warehouse_asset_uri
    else Asset(_SETTINGS.warehouse_asset)
)

WOKEN = {
    "enrich_feedback": ("extract_feedback", "publish"),
    "resolve_entities": ("enrich_feedback", "mentions.publish"),
}
"""Each Dag that another wakes, and that one with the task that does; ``triage_digest`` looks, and has an hour too."""

# extract_feedback: what customers said.
ITEMS = _table("feedback.items")

# enrich_feedback: what models make of it, a table and an asset for each enrichment.
ANSWERS = {enrichment.name: _table(enrichment.table) for enrichment in ENRICHMENTS}

# resolve_entities: what the names stand for.
ENTITIES = _table("feedback.entities")
