"""What is sent as a schema every service understands; what cannot be sent is refused by field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from feedback.errors import SettingError
from feedback.llm.schema import strict_schema


class Row(BaseModel):
    label: Literal["a", "b"]
    quote: Annotated[str, Field(max_length=9)] | None


class Answer(BaseModel):
    score: Annotated[float, Field(ge=-1, le=1)]
    rows: list[Row]


class Open(BaseModel):
    extra: dict[str, str]


class Default(BaseModel):
    label: str = "a"


class Union(BaseModel):
    value: int | str


class Anything(BaseModel):
    value: Any


class Itself(BaseModel):
    children: list[Itself]


def test_every_field_is_required_nothing_is_additional_and_bounds_stay_here():
    row = {
        "type": "object",
        "properties": {
            "label": {"type": "string", "enum": ["a", "b"]},
            "quote": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["label", "quote"],
        "additionalProperties": False,
    }
    assert strict_schema(Answer) == {
        "type": "object",
        "properties": {"score": {"type": "number"}, "rows": {"type": "array", "items": row}},
        "required": ["score", "rows"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("answer_type", "field"),
    [
        (Open, r"Open\.extra is an open dict"),
        (Default, r"Default\.label has a default"),
        (Union, r"Union\.value is a union"),
        (Anything, r"Anything\.value may be anything"),
        (Itself, r"Itself.*\.children\[\] contains itself"),
    ],
)
def test_a_type_that_not_every_service_accepts_is_refused_by_field(answer_type, field):
    with pytest.raises(SettingError, match=field):
        strict_schema(answer_type)
