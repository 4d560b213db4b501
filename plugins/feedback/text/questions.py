"""Whether a text asks something."""

from __future__ import annotations

import re

NOT_SAID = re.compile(
    r"```.*?```|`[^`\n]*`|(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}://\S+|^> .*$", re.DOTALL | re.MULTILINE
)
"""Code, addresses and quotes hold question marks that ask nothing."""
MARK = re.compile(r"[?？؟՞፧⁇⁈⁉‽\u037e]")
PARTICLE = re.compile(
    r"(?:(?:です|でした|でしょう|ます|ました|ましょう|ません)か|[吗嗎]|(?:나|가|까)요)(?=[。．.\s」）)]|$)"
)
"""How a Japanese, Chinese or Korean question ends, often without a mark."""
FORM = re.compile(
    r"(?:^|[.!\n]\s*|\b(?:hi|hello|hey|team|all)[,:]?\s+)(?:"
    r"how (?:do|can|to|does|is|are|would|should|come)|what(?:'s| is| are| does)|why (?:is|are|does|do|can)"
    r"|where (?:is|are|can|do)|(?:can|could|would) (?:you|we|i|anyone|someone|somebody)"
    r"|(?:does|has|did) (?:any|some)(?:one|body)|is (?:there|it possible)|any(?:one|body) (?:know|else|seen|got)"
    r"|any (?:idea|way|news|update|chance)"
    r")\b",
    re.IGNORECASE,
)


def is_question(text: str) -> bool:
    """Whether the text asks: by a question mark of any script, or by how its sentence begins or ends."""
    said = NOT_SAID.sub(" ", text)
    return bool(MARK.search(said) or (not said.isascii() and PARTICLE.search(said)) or FORM.search(said))
