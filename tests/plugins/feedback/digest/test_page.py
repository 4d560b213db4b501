from __future__ import annotations

import pytest

from feedback.digest.page import usd


@pytest.mark.parametrize(("amount", "text"), [(0, "$0.00"), (0.0123, "$0.0123"), (0.1, "$0.10"), (1234.5, "$1,234.50")])
def test_dollars_show_what_a_cent_hides(amount, text):
    assert usd(amount) == text
