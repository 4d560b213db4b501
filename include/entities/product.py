"""Products: what is sold or used under a name of its own, ours or somebody else's."""

from feedback.resolution.kind import EntityKind

PRODUCT = EntityKind(name="product")
