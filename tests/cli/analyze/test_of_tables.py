"""Tables on the command line: sent with their options, printed for people, as a page, as rows."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.analyze.house import House
from tests.cli.analyze.conftest import rows_of
from tests.cli.conftest import Run, served
from tests.conftest import MASTER_KEY, migrated_database
from thetool.analyze.table_options import TableOptions
from thetool.analyze.tasks import names_for
from thetool.cli.form import Form
from thetool.cli.table_findings import bar, spark
from thetool.cli.table_options import MARKET, READING, TASKS
from thetool.config import Settings
from thetool.tables.market.options import MarketOptions
from thetool.tables.reading.options import ReadOptions

CSV = "made by hand\n\nname;joined;salary\nJörg;1.2.2026;1.234,50\nBob;15.3.2026;2.000,00\n\x1b[2Jwiped;1.1.2026;5,00\n"


@pytest.fixture(scope="module")
def house(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A whole service with a runner."""
    with migrated_database(postgres_url) as url:
        home = tmp_path_factory.mktemp("home")
        house = House(Settings(DATABASE_URL=url, THETOOL_HOME=home, MASTER_API_KEY=MASTER_KEY, LOG_LEVEL="ERROR"))
        yield house
        house.close()


@pytest.fixture
def at_house(house: House, at_service: Callable[[str], None]) -> Iterator[House]:
    with served(house.app) as url:
        at_service(url)
        yield house


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_bytes(CSV.encode("cp1252"))
    return file


def test_the_options_are_those_of_the_api() -> None:
    assert {option.name for option in READING} == set(ReadOptions.model_fields) - {"encoding"}
    assert {option.name for option in MARKET} == set(MarketOptions.model_fields)
    flags = {option.name for option in READING + MARKET if option.value is None}
    assert set(names_for("table")) == TASKS
    assert flags == {name for name, field in TableOptions.model_fields.items() if field.annotation is bool}


def test_a_table_is_printed_for_people(at_house: House, run: Run, people: Path) -> None:
    result = run("analyze", str(people))
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[1].startswith("  3 rows × 3 columns · ")
    assert any(line.split()[:3] == ["encoding", "cp1252", "It"] for line in lines)
    assert any(line.split()[:3] == ["delimiter", "semicolon", ";"] for line in lines)
    assert "  preamble: lines 1 to 2, kept apart from the table" in lines
    assert lines.index("issues") < lines.index("columns")
    [salary] = [line for line in lines if line.startswith("  salary")]
    assert "number" in salary
    assert "5 to 2000, median 1234" in salary
    assert "\x1b" not in result.stdout


def test_it_can_be_read_otherwise(at_house: House, run: Run, people: Path) -> None:
    options = ("--encoding", "cp1252", "--header-row", "0", "--as-text", "--delimiter", ";", "--json")
    body = json.loads(run("analyze", str(people), *options).stdout)
    reading = body["result"]["reading"]
    assert (reading["encoding"]["asked"], reading["header"]["value"]) == (True, 0)
    assert {column["type"] for column in reading["columns"]} == {"text"}


def test_what_is_no_table_by_itself_is_read_as_one_by_its_options(at_house: House, run: Run, tmp_path: Path) -> None:
    (tmp_path / "list.log").write_text("a~b\n1~2\n3~4\n")
    body = json.loads(run("analyze", str(tmp_path / "list.log"), "--delimiter", "~", "--json").stdout)
    assert [column["name"] for column in body["result"]["reading"]["columns"]] == ["a", "b"]


def test_standard_input(at_house: House, run: Run, people: Path) -> None:
    result = run("analyze", "-", "--tasks", "profile", "--json", input=people.read_bytes())
    assert json.loads(result.stdout)["kind"] == "table"


def test_a_page_that_stands_alone(at_house: House, run: Run, people: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    result = run("analyze", str(people), "--html", str(page))
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert "salary" in page.read_text()
    again = run("analyze", str(people), "--html", str(page))
    assert (again.exit_code, "--force" in again.stderr) == (1, True)
    (tmp_path / "words.txt").write_text("no table")
    refused = run("analyze", str(tmp_path / "words.txt"), "--html", str(page), "--force")
    assert (refused.exit_code, "--html is for tables" in refused.stderr) == (1, True)
    assert run("analyze", str(people), str(people), "--html", str(page)).exit_code == 2


def test_several_are_rows(at_house: House, run: Run, people: Path, tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("<!doctype html><p>none")
    table = tmp_path / "out.csv"
    result = run("analyze", str(people), str(tmp_path / "none.csv"), "--csv", str(table))
    assert result.exit_code == 1
    first, second = rows_of(table)
    assert (first["status"], first["rows"], first["columns"], first["header"]) == ("completed", "3", "3", "3")
    assert first["column_names"] == "name; joined; salary"
    assert (second["status"], "not_a_table" in second["problem"]) == ("failed", True)


def test_a_large_file_is_read_while_it_is_sent() -> None:
    content = io.BytesIO(b"a,b\n" + b"1,2\n" * 100_000)
    form = Form([("tasks", "profile")], content, 'a"b.csv', "text/csv")
    sent = form.read()
    assert len(sent) == len(form)
    assert sent.endswith(b"--\r\n")
    assert b'filename="a%22b.csv"\r\nContent-Type: text/csv\r\n\r\na,b\n' in sent
    assert form.read() == b""
    assert form.seek(0) == 0
    assert form.read() == sent
    with pytest.raises(OSError, match="from its beginning"):
        form.seek(0, os.SEEK_END)


@pytest.mark.parametrize(
    ("counts", "drawn"), [([], ""), ([0, 0], "  "), ([1, 0, 1000], "▁ █"), ([4, 8, 2], "▄█▂"), ([7], "█")]
)
def test_a_histogram_is_a_line(counts: list[int], drawn: str) -> None:
    assert spark(counts) == drawn


@pytest.mark.parametrize(("share", "drawn"), [(0, ""), (0.0001, "▏"), (0.5, "████"), (1, "█" * 8)])
def test_a_share_is_a_bar(share: float, drawn: str) -> None:
    assert bar(share) == drawn
