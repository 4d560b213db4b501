"""The questions that are asked about every item. To add one: a page and its prompt here, its name below."""

from include.enrichments.area import AREA
from include.enrichments.intent import INTENT
from include.enrichments.mentions import MENTIONS
from include.enrichments.sentiment import SENTIMENT

ENRICHMENTS = (SENTIMENT, INTENT, AREA, MENTIONS)
