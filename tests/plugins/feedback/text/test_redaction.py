"""Personal data becomes numbered placeholders, everything else stays, and masking twice is masking once."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.text.findings import find
from feedback.text.redaction import PLACEHOLDER, has_personal_data, mask

PUBLIC_SET = Path(__file__).resolve().parents[5] / "shared/data/personal_data/generated_small.json"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to Jane.Doe+x@mail.example.co.uk.", "write to [EMAIL_1]."),
        ("a@b.example, c@d.example, A@b.example", "[EMAIL_1], [EMAIL_2], [EMAIL_1]"),
        ("+49 30 901820 or +4930901820", "[PHONE_1] or [PHONE_1]"),
        ("(212) 555-0142 ext. 12", "[PHONE_1]"),
        ("call me on 0151 23456789 today", "call me on [PHONE_1] today"),
        ("4111 1111 1111 1111 and 4111-1111-1111-1111", "[CARD_1] and [CARD_1]"),
        ("378282246310005", "[CARD_1]"),
        ("DE89 3704 0044 0532 0130 00 please", "[IBAN_1] please"),
        ("gb82west12345698765432", "[IBAN_1]"),
        ("SSN 403-57-9558", "SSN [NATIONAL_ID_1]"),
        ("CPF 390.533.447-05", "CPF [NATIONAL_ID_1]"),
        ("DNI 54362315K", "DNI [NATIONAL_ID_1]"),
        ("RCCMNL83S18D969H", "[NATIONAL_ID_1]"),
        ("١٢٣ a@b.example", "١٢٣ [EMAIL_1]"),
        ("メールはfoo@b.exampleまで", "メールは[EMAIL_1]まで"),
        ("ada＠b.example으로", "[EMAIL_1]으로"),
        ("電話090-1234-5678です", "電話[PHONE_1]です"),
        ("電話：０９０－１２３４－５６７８", "電話：[PHONE_1]"),
        ("+49\u201130\u201190\u201118\u201120", "[PHONE_1]"),
        ("卡号4111111111111111。", "卡号[CARD_1]。"),
        ("write to ada (at) mail.example.com", "write to [EMAIL_1]"),
        ("ada@例え.jp", "[EMAIL_1]"),
        ("ada\u200b@b.example", "[EMAIL_1]"),
        ("\u202a+49 151 23456789\u202c", "\u202a[PHONE_1]\u202c"),
        ("+49\u202f151\u202f23456789 = +49\u00a0151-23456789", "[PHONE_1] = [PHONE_1]"),
        ("06 12 34 56 78", "[PHONE_1]"),
        ("0171 2345678 passt", "[PHONE_1] passt"),
        ("you can reach me at 71 12 34", "you can reach me at [PHONE_1]"),
        ("4111\u00a01111\u00a01111\u00a01111 or 4111.1111.1111.1111", "[CARD_1] or [CARD_1]"),
        ("3782  822463  10005", "[CARD_1]"),
        ("DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "[IBAN_1]"),
        ("403 57 9558, 403.57.9558", "[NATIONAL_ID_1], [NATIONAL_ID_1]"),
        ("my ssn is 403579558", "my ssn is [NATIONAL_ID_1]"),
        ("CPF: 39053344705", "CPF: [NATIONAL_ID_1]"),
        ("番号403-57-9558です", "番号[NATIONAL_ID_1]です"),
        ("we have [EMAIL_1] and a@b.example", "we have [EMAIL_1] and [EMAIL_2]"),
    ],
)
def test_personal_data_is_masked(text, masked):
    assert has_personal_data(text)
    assert mask(text) == masked


@pytest.mark.parametrize("region", [None, "US", "DE", "GB"])
@pytest.mark.parametrize(
    "text",
    [
        "order 4521883312 and ticket #5551234567",
        "version 10.15.7.1234, build 202611021030",
        "ts 1452837318.000002, 1767225600000 ms",
        "2026-11-02 10:30:00 and 02.11.2026 10:30",
        "1,234,567.00 EUR, 1 200 000 000, 1.000.000.000",
        "192.168.100.200 and 40.72, -74.00, 118.25",
        "550e8400-e29b-41d4-a716-446655440000 0x80070057",
        "2019-2024, 100%, 5/5, 24/7",
        "icon@2x.png, @ada, 5 @ 3.50",
        "the 4111 1111 1111 1112 is no card",
        "411111111111111111",
        "we will reach 1000000 users, 250 000 of them in May",
        "55249031-9721-4092-8092-552490319721",
        "order number 8109-8109-8109",
        "build 20.11.4.1023 (at) night",
    ],
)
def test_other_numbers_stay(text, region):
    assert mask(text, region) == text


def test_a_national_number_is_one_only_in_its_country():
    assert mask("612 34 56 78", "ES") == "[PHONE_1]"
    assert mask("612 34 56 78") == "612 34 56 78"


PIECES = st.sampled_from(
    [
        "a@b.example",
        "+49 30 901820",
        "4111111111111111",
        "DE89370400440532013000",
        "403-57-9558",
        "call ",
        "order ",
        "[EMAIL_1]",
        "[PHONE_7]",
        " ",
        "-",
        ".",
        "1",
        "22",
        "333",
        "4444",
        "x",
        "@",
        "+",
        "(",
        ")",
        "\n",
        "é",
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60)
REGIONS = st.sampled_from([None, "DE", "US"])


@given(TEXTS, REGIONS)
def test_masking_twice_is_masking_once(text, region):
    once = mask(text, region)

    assert mask(once, region) == once
    assert not has_personal_data(once)


@given(TEXTS, REGIONS)
def test_what_stays_is_the_text_around_in_its_order(text, region):
    place = 0
    for kept in PLACEHOLDER.split(mask(text, region))[::3]:
        place = text.index(kept, place) + len(kept)


@given(TEXTS, REGIONS)
def test_placeholders_are_numbered_by_first_occurrence(text, region):
    numbers = {}
    for kind, number in PLACEHOLDER.findall(mask(PLACEHOLDER.sub("", text), region)):
        seen = numbers.setdefault(kind, [])
        if int(number) not in seen:
            seen.append(int(number))

    assert all(seen == list(range(1, len(seen) + 1)) for seen in numbers.values())


@given(TEXTS, REGIONS)
def test_nothing_of_what_is_found_remains(text, region):
    masked = mask(text, region)

    assert [finding.kind for finding in find(text, region) if finding.value in masked] == []


@pytest.mark.skipif(not PUBLIC_SET.exists(), reason="../shared/data is not here")
def test_finds_what_a_public_set_says_is_there():
    kinds = {"EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "US_SSN", "IBAN_CODE"}
    found, there = Counter(), Counter()
    for text in json.loads(PUBLIC_SET.read_text()):
        masked = mask(text["full_text"])
        for span in text["spans"]:
            there[span["entity_type"]] += 1
            found[span["entity_type"]] += span["entity_value"] not in masked

    assert [kind for kind in kinds if found[kind] < there[kind]] == []
