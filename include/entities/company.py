"""Companies: customers, partners, ourselves. A competitor is one with a flag in the catalog, not a kind."""

from feedback.resolution.kind import EntityKind

COMPANY = EntityKind(name="company", may_compete=True)
