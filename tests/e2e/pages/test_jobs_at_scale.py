"""The list of jobs when there are many, and when they belong together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

import psycopg2
import psycopg2.extras
import pytest

from tests.e2e.browser import Browser
from tests.e2e.service import Service
from thetool.access.records import MASTER_OWNER_ID
from thetool.database.ids import new_id

pytestmark = pytest.mark.browser
KIND = "sample.page_many"
INSERT = """
insert into jobs (id, kind, queue, status, params, timeout_s, owner_id, batch_id, run_at, finished_at) values %s
"""
ROW = "(%s, %s, 'cpu', %s, '{}', 60, %s, %s, now() + interval '1 day', %s::timestamptz)"


class Many:
    """Puts jobs into the table that nobody runs, and takes them out."""

    def __init__(self, url: str) -> None:
        self._url = url

    def insert(self, *states: str, batch: UUID | None = None) -> None:
        """A job of each of these states."""
        rows = [
            (
                str(new_id()),
                KIND,
                state,
                str(MASTER_OWNER_ID),
                batch and str(batch),
                None if state == "queued" else "now",
            )
            for state in states
        ]
        with closing(psycopg2.connect(self._url)) as connection, connection, connection.cursor() as cursor:
            psycopg2.extras.execute_values(cursor, INSERT, rows, ROW, page_size=1000)

    def delete(self) -> None:
        """All of them go."""
        with closing(psycopg2.connect(self._url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("delete from jobs where kind = %s", (KIND,))


@pytest.fixture
def many(service: Service) -> Iterator[Many]:
    assert service.database_url is not None
    many = Many(service.database_url)
    yield many
    many.delete()


def row_ids(browser: Browser) -> list[str]:
    return browser.run("return [...document.querySelectorAll('#rows tr:not(.batch) a')].map((link) => link.pathname)")


def test_ten_thousand_jobs_are_leafed_through(browser: Browser, many: Many) -> None:
    many.insert(*(["completed"] * 9_990 + ["failed"] * 10))
    browser.open(f"/jobs?kind={KIND}")
    seen: list[str] = []

    def another_page() -> list[str] | None:
        ids = row_ids(browser)
        return ids if len(ids) == 25 and ids[0] not in seen else None

    for _ in range(4):
        seen += browser.until(another_page, "another page")
        browser.click("#older")
    assert len(set(seen)) == 100
    browser.open(f"/jobs?kind={KIND}&status=failed")
    browser.until(lambda: len(row_ids(browser)) == 10, "the failed ones")
    assert not browser.all("#older")[0].is_displayed()


def test_what_is_unfinished_stands_above_newer_jobs_that_are_over(browser: Browser, many: Many) -> None:
    many.insert("queued")
    many.insert(*["completed"] * 40)
    browser.open(f"/jobs?kind={KIND}")
    browser.until(lambda: len(row_ids(browser)) == 26, "a page, and the older one")
    assert "queued" in browser.text("#rows tr:first-child .state")
    assert "parted" in browser.all("#rows tr")[1].get_dom_attribute("class")
    browser.click("#older")
    browser.until(lambda: len(row_ids(browser)) == 16, "the second page is the newest first, as it is")
    assert "queued" in browser.text("#rows tr:last-child .state")


def test_the_jobs_of_a_batch_stand_together_and_are_cancelled_at_once(browser: Browser, many: Many) -> None:
    batch = new_id()
    many.insert("completed", "failed", batch=batch)
    many.insert("completed")
    many.insert(*["queued"] * 30, batch=batch)
    browser.open(f"/jobs?kind={KIND}")
    browser.until(lambda: "Batch of 32 jobs" in browser.text("#rows .batch"), "the whole batch is counted")
    assert "30 queued · 1 completed · 1 failed" in browser.text("#rows .batch .said")
    assert browser.see("#rows .batch [role=progressbar]").get_dom_attribute("aria-valuenow") == "6"
    browser.click("#rows .batch a")
    browser.until(lambda: "batch_id=" in browser.path(), "the batch alone")
    assert "one batch" in browser.text("#batch-filter")
    browser.click("#rows .batch button")
    browser.click("dialog button.danger")
    browser.until(lambda: "30 cancelled" in browser.text("#rows .batch .said"), "they are cancelled in sight")
    browser.click("#all-jobs")
    browser.until(lambda: "batch_id=" not in browser.path(), "all jobs again")
