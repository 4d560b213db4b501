"""Which letters can touch a number or an address without belonging to it."""

UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
"""Thai, Japanese, Chinese and Korean: they put no space around what is written in other signs."""
SPACED = rf"[^\W{UNSPACED}]"
"""A letter, digit or underscore of any other script."""
