"""What names stand for: one page a kind, one catalog of the names that people know.

To add a kind, add its page and name it here. To add a name, edit catalog.yaml; to merge or split two names by hand,
overrides.yaml.
"""

from pathlib import Path

from include.entities.company import COMPANY
from include.entities.feature import FEATURE
from include.entities.match import MATCH
from include.entities.product import PRODUCT

ENTITY_KINDS = (PRODUCT, FEATURE, COMPANY)
CATALOG = Path(__file__).with_name("catalog.yaml")
OVERRIDES = Path(__file__).with_name("overrides.yaml")

__all__ = ["CATALOG", "ENTITY_KINDS", "MATCH", "OVERRIDES"]
