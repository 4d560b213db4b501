"""Features: a named part of a product, a plan included; how people ask for it is not a name."""

from feedback.resolution.kind import EntityKind

FEATURE = EntityKind(name="feature")
