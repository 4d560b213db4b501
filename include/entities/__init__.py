"""What names stand for: one page a kind, one catalog of the names that people know.

To add a kind, add its page and name it here. To add a name, edit catalog.yaml.
"""

from pathlib import Path

from include.entities.company import COMPANY
from include.entities.feature import FEATURE
from include.entities.product import PRODUCT

ENTITY_KINDS = (PRODUCT, FEATURE, COMPANY)
CATALOG = Path(__file__).with_name("catalog.yaml")
