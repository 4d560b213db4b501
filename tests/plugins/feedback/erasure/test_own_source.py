"""Texts of a table of the warehouse: it goes on holding the words, and no run takes them in again."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from feedback.erasure.files import Places
from feedback.erasure.plan import carry_out, plan
from feedback.erasure.scope import Author, author_of, of_author, of_item
from feedback.model import Run, utc_now
from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.retention_operator import RetentionOperator
from feedback.sources.authors import author_hash
from tests.plugins.feedback.sources.helpdesk import NOON, alive, but, put, ticket

SALT = b"salt"
ADA = Author("tickets", "Ada")
LATER = NOON + timedelta(days=40)


@pytest.fixture
def house(warehouse, tmp_path):
    return House(warehouse, Places(tmp_path / "report", tmp_path / "digest", warehouse.path, *[tmp_path / "none"] * 2))


class House:
    """A helpdesk of which one ticket is Ada's."""

    def __init__(self, warehouse, places):
        self.warehouse, self.places, self.numbers = warehouse, places, count(1)

    def run(self):
        return Run(f"run_{next(self.numbers)}", "d", "t")

    def extract(self, *tickets, clock="moved"):
        put(self.warehouse, *tickets)
        source = but(author="secret", updated_at=clock)
        ExtractOperator(task_id="e", source=source, salt=lambda: SALT, warehouse=self.warehouse).work(self.run(), {})
        return alive(self.warehouse)

    def erase(self, scope):
        run = self.run()
        planned = plan(self.warehouse, scope, (), self.places, run)
        carry_out(self.warehouse, planned, run, SALT)

    def expire(self):
        operator = RetentionOperator(
            task_id="r", days=30, enrichments=(), places=self.places, as_of=LATER, warehouse=self.warehouse
        )
        return operator.work(self.run(), {}).as_dict()["expired"]


def test_an_author_of_the_table_is_erased_and_kept_out(house):
    house.extract(ticket(1, secret="Ada"), ticket(2, "hello", secret="Bo"))

    house.erase(of_author(author_of(house.warehouse, SALT, author_hash(SALT, "tickets", "Ada"))))
    new = (
        ticket(1, "changed", secret="Ada", moved=utc_now()),
        ticket(3, secret="Ada"),
        ticket(2, "hello", secret="Bo"),
    )

    assert house.extract(*new) == {"2": "hello"}
    assert house.extract(*new) == {"2": "hello"}
    assert "Ada" not in str(house.warehouse.rows("select * from raw.texts"))


def test_a_text_goes_alone_and_for_good(house):
    rows = (ticket(1, secret="Ada"), ticket(2, "hello", secret="Ada"))
    house.extract(*rows)

    house.erase(of_item("tickets:1"))

    assert house.extract(*rows) == {"2": "hello"}


@pytest.mark.parametrize("clock", ["moved", None])
def test_what_has_expired_is_not_taken_in_again(house, clock):
    rows = (ticket(1), ticket(2, "young", moved=LATER, sent=LATER))
    house.extract(*rows, clock=clock)

    assert house.expire() == 1
    assert house.extract(*rows, clock=clock) == {"2": "young"}
    assert house.expire() == 0


def test_a_row_that_is_changed_after_it_expired_is_a_new_word(house):
    house.extract(ticket(1))
    house.expire()

    assert house.extract(ticket(1, "again", moved=utc_now() + timedelta(minutes=1))) == {"1": "again"}
