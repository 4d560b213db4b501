"""The base URL of a service, as it may be told."""

from __future__ import annotations

import pytest

from feedback.address import refuse_in_the_clear, shown
from feedback.errors import SettingError


@pytest.mark.parametrize(
    ("base_url", "told"),
    [
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("https://me:s3cret@models.example:8443/v1", "https://models.example:8443/v1"),
        ("http://s3cret@[::1]:9/v1", "http://[::1]:9/v1"),
    ],
)
def test_what_stands_before_the_host_is_not_told(base_url, told):
    assert shown(base_url) == told


def test_a_refusal_does_not_repeat_it():
    with pytest.raises(SettingError) as refused:
        refuse_in_the_clear("openai_default", "http://me:s3cret@models.example/v1", "https://api.openai.com/v1")

    assert "s3cret" not in str(refused.value)
    assert "FEEDBACK_ALLOW_HTTP=models.example" in str(refused.value)
