"""Each defect is found, with its rows, an example and the operation that mends it; what is sound has none."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import polars as pl
import pytest

from tests.tables.profile.conftest import Profiled
from thetool.tables.profile.issue_schemas import Issue, IssueCode, Operation
from thetool.tables.profile.issues.mending import PARAMETERS, mend
from thetool.tables.profile.schemas import Profile
from thetool.tables.reading.options import ReadOptions

SOUND = ["Amsterdam", "Berlin", "Copenhagen", "Dublin", "Edinburgh", "Florence"] * 3


def the(profile: Profile, code: str) -> Issue:
    found = [issue for issue in profile.issues if issue.code == code]
    assert len(found) == 1, [(issue.code, issue.message) for issue in profile.issues]
    return found[0]


def done(issue: Issue) -> tuple[str, dict[str, Any]]:
    """The operation that would mend it, and its parameters."""
    assert issue.mend is not None
    return issue.mend.operation, issue.mend.parameters


CELLS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("surrounding_whitespace", " Dublin", "trim_whitespace", {"columns": ["city"], "trim_type": "both"}),
    ("surrounding_whitespace", "Dublin\u00a0", "trim_whitespace", {"columns": ["city"], "trim_type": "both"}),
    ("inner_whitespace", "New  York", "trim_whitespace", {"columns": ["city"], "trim_type": "all"}),
    ("control_characters", "Dub\u200blin", "regex_replace", {}),
    ("control_characters", "Dub\x00lin", "regex_replace", {}),
    ("broken_encoding", "DÃ¼sseldorf", "repair_encoding", {"columns": ["city"]}),
    ("broken_encoding", "Cote dâ€™Azur", "repair_encoding", {}),
    ("broken_encoding", "ÐœÐ¾ÑÐºÐ²Ð°", "repair_encoding", {}),
    ("null_words", "N/A", "replace_with_null", {"column": "city", "values": ["N/A"]}),
    ("surrounding_junk", '"Dublin', "regex_replace", {}),
    ("surrounding_junk", "Dublin;", "regex_replace", {}),
    ("formulas", "=cmd|' /C calc'!A0", "regex_replace", {"column": "city"}),
    ("formulas", '=HYPERLINK("https://example.org")', "regex_replace", {}),
    ("formulas", "@SUM(1+1)*cmd|' /C calc'!A0", "regex_replace", {}),
    ("formulas", "-2+3+cmd|' /C calc'!A0", "regex_replace", {}),
]


@pytest.mark.parametrize(("code", "value", "operation", "parameters"), CELLS)
def test_a_cell(profiled: Profiled, code: str, value: str, operation: str, parameters: dict[str, Any]) -> None:
    issue = the(profiled({"city": [*SOUND, value]}), code)
    assert (issue.columns, issue.rows, issue.share) == (["city"], 1, pytest.approx(1 / 19))
    assert issue.example is not None
    assert (issue.example.row, issue.example.column, issue.example.value) == (19, "city", value)
    assert issue.mend is not None
    assert issue.mend.operation == operation
    assert issue.mend.parameters | parameters == issue.mend.parameters
    assert issue.mend.effect.endswith(".")


def test_words_for_nothing_are_those_of_the_request(profiled_file: Profiled) -> None:
    content = "city\n" + "\n".join([*SOUND, "n/a", "nowhere", "nowhere"]) + "\n"
    assert the(profiled_file(content), "null_words").rows == 1
    for options in ({"null_words": ["nowhere"]}, {"columns": {"city": {"type": "text", "null_words": ["nowhere"]}}}):
        profile = profiled_file(content, ReadOptions.model_validate(options))
        assert "null_words" not in {issue.code for issue in profile.issues}
        assert profile.column_profiles[0].nulls == 2


def test_the_right_spelling_of_broken_letters_is_told(profiled: Profiled) -> None:
    assert "“Düsseldorf”" in the(profiled({"city": [*SOUND, "DÃ¼sseldorf"]}), "broken_encoding").message


def test_lost_letters_are_past_mending(profiled: Profiled) -> None:
    issue = the(profiled({"city": [*SOUND, "D\ufffdsseldorf"]}), "lost_characters")
    assert (issue.severity, issue.mend) == ("critical", None)


@pytest.mark.parametrize(
    "value", ["JOÃO", "SÃO PAULO", "Spaß“", "naïve", "Ærø", "Łódź", "Ελλάδα", "Москва", "東京", "Ñandú"]
)
def test_letters_of_other_languages_are_no_defects(profiled: Profiled, value: str) -> None:
    codes = {issue.code for issue in profiled({"city": [*SOUND, value]}).issues}
    assert not codes & {"broken_encoding", "lost_characters", "control_characters"}


def test_sound_tables_have_no_issues(profiled: Profiled) -> None:
    columns = {"id": list(range(1, 19)), "city": SOUND, "amount": [float(10 + number % 7) for number in range(18)]}
    assert profiled(columns).issues == []


@pytest.mark.parametrize(
    ("counts", "right", "row"),
    [({"berlin": 5, "Berlin": 5}, "Berlin", 1), ({"berlin": 10, "Berlin": 9, "BERLIN": 10}, "Berlin", 1),
     ({"Berlin": 2, "berlin": 9}, "berlin", 1), ({"new york": 3, "New York": 2, "Rome": 5}, "New York", 1)],
)  # fmt: skip
def test_case_variants_go_to_the_capitalised_one_when_nearly_as_frequent(
    profiled: Profiled, counts: dict[str, int], right: str, row: int
) -> None:
    cells = [value for value, count in counts.items() for _ in range(count)]
    issue = the(profiled({"city": cells}), "case_variants")
    assert issue.mend is not None
    assert list(issue.mend.parameters["mapping"]) == [right]
    assert issue.example is not None
    assert issue.example.value != right
    assert issue.example.row == row
    assert cells[row - 1] == issue.example.value


def test_case_variants_go_to_the_most_frequent(profiled: Profiled) -> None:
    issue = the(profiled({"city": ["Berlin", "berlin", "BERLIN", "Berlin", "Rome", "Rome"]}), "case_variants")
    assert issue.rows == 2
    assert issue.example is not None
    assert issue.example.row == 2
    assert issue.mend is not None
    assert issue.mend.parameters["mapping"] == {"Berlin": ["berlin", "BERLIN"]}


@pytest.mark.parametrize(
    ("values", "mapping"),
    [
        (["New York"] * 4 + ["New-York", "york new", "Rome", "Rome"], {"New York": ["New-York", "york new"]}),
        (["Café Müller"] * 4 + ["Cafe Muller", "Rome", "Rome"], {"Café Müller": ["Cafe Muller"]}),
        (["Copenhagen"] * 4 + ["Copenhagn", "Rome", "Rome"], {"Copenhagen": ["Copenhagn"]}),
        (["United States"] * 4 + ["USA", "U.S.", "France", "France"], {"United States": ["U.S.", "USA"]}),
    ],
)
def test_similar_categories(profiled: Profiled, values: list[str], mapping: dict[str, list[str]]) -> None:
    issue = the(profiled({"place": values}), "similar_categories")
    assert issue.mend is not None
    assert issue.mend.parameters["mapping"] == mapping
    assert issue.rows == sum(len(others) for others in mapping.values())


@pytest.mark.parametrize(
    "values",
    [
        ["Item 1"] * 5 + ["Item 2"] + ["Item 11"],
        ["Austria"] * 5 + ["Australia"] * 2,
        ["Slovakia"] * 5 + ["Slovenia"] * 2,
        ["house"] * 5 + ["mouse"] * 2,
        ["male"] * 5 + ["female"] * 2,
    ],
)
def test_other_things_are_not_similar(profiled: Profiled, values: list[str]) -> None:
    assert "similar_categories" not in {issue.code for issue in profiled({"thing": values}).issues}


def test_rows_that_repeat(profiled: Profiled) -> None:
    issue = the(profiled({"a": ["x", "y", "z", "x", "x"], "b": [1, 2, 3, 1, 9]}), "duplicate_rows")
    assert issue.rows == 1
    assert issue.example is not None
    assert issue.example.row == 4
    assert done(issue) == ("remove_duplicates", {"keep": "first"})


def test_rows_without_anything(profiled: Profiled) -> None:
    issue = the(profiled({"a": ["x", None, "z"], "b": [1, None, 3]}), "empty_rows")
    assert issue.rows == 1
    assert "row 2" in issue.message


def test_columns_that_are_the_same(profiled: Profiled) -> None:
    issue = the(profiled({"a": ["x", None, "z"], "b": ["x", None, "z"], "c": ["x", "z", None]}), "duplicate_columns")
    assert issue.columns == ["a", "b"]
    assert done(issue) == ("remove_columns", {"columns": ["b"]})


def test_columns_without_values_and_constant_ones(profiled: Profiled) -> None:
    nothing = pl.Series([None] * 4, dtype=pl.String)
    profile = profiled({"a": nothing, "b": nothing, "c": ["x"] * 4, "d": [1, 2, 3, 5]})
    assert the(profile, "empty_column").columns == ["a", "b"]
    assert the(profile, "constant_column").columns == ["c"]
    assert not [issue for issue in profile.issues if issue.code in ("missing_values", "duplicate_columns")]


def test_gaps(profiled: Profiled) -> None:
    issue = the(profiled({"a": [1.5, None, 3, 4.5], "b": ["w", "x", "y", "z"]}), "missing_values")
    assert (issue.columns, issue.rows, issue.severity) == (["a"], 1, "info")
    assert done(issue) == ("fill_blanks", {"column": "a", "method": "median"})


def test_dates_in_the_future(profiled: Profiled) -> None:
    days = [date(2026, 1, 1), date(2026, 3, 4), date(2206, 3, 4), date(2026, 2, 1)]
    issue = the(profiled({"born": days}), "future_dates")
    assert issue.example is not None
    assert (issue.rows, issue.example.row, issue.example.value) == (1, 3, "2206-03-04")
    assert issue.severity == "warning"


def test_dates_that_are_meant_to_be_in_the_future(profiled: Profiled) -> None:
    assert the(profiled({"due": [date(2027, 1, 1), date(2027, 2, 1)]}), "future_dates").severity == "info"


def test_numbers_among_texts(profiled: Profiled) -> None:
    issue = the(profiled({"age": ["12", "34", "seventy-two", "45", "12"]}), "mixed_types")
    assert issue.severity == "critical"
    assert issue.example is not None
    assert (issue.rows, issue.example.row, issue.example.value) == (1, 3, "seventy-two")


def test_leading_zeros_are_no_mixture(profiled: Profiled) -> None:
    assert not profiled({"code": ["0012", "12345", "0012", "12345", "00077", "00077"]}).issues


def test_keys_that_come_twice(profiled: Profiled) -> None:
    issue = the(profiled({"customer_id": [*range(100, 140), 107]}), "repeated_keys")
    assert issue.example is not None
    assert (issue.rows, issue.example.row, issue.example.value) == (1, 8, "107")


def test_a_total_at_the_end(profiled_file: Profiled) -> None:
    rows = "".join(f"a{number},{number},x{number}\n" for number in range(10))
    issue = the(profiled_file("item,amount,code\n" + rows + "Grand total,45,\n"), "footer_rows")
    assert "Grand total" in issue.message


@pytest.mark.parametrize("last", ["account,1,", "Totally,1,"])
def test_words_that_only_begin_like_totals(profiled_file: Profiled, last: str) -> None:
    rows = "".join(f"a{number},{number},x{number}\n" for number in range(10))
    assert "footer_rows" not in {issue.code for issue in profiled_file("item,amount,code\n" + rows + last).issues}


def test_values_that_could_not_be_typed(profiled_file: Profiled) -> None:
    rows = "".join(f"{number},b{number}\n" for number in range(1, 60))
    profile = profiled_file("amount,code\n" + rows + "seventy-two,b60\n")
    issue = the(profile, "untyped_values")
    assert issue.example is not None
    assert (issue.rows, issue.example.row, issue.example.value) == (1, 60, "seventy-two")
    assert (profile.column_profiles[0].type, profile.column_profiles[0].untyped) == ("integer", 1)
    assert (profile.cells_empty, profile.cells_untyped) == (1, 1)
    assert issue.reread is not None
    assert issue.reread.options == {"columns": {"amount": {"type": "text"}}}


def test_both_decimal_marks_in_a_column(profiled_file: Profiled) -> None:
    profile = profiled_file("price;code\n" + "".join(f"{n}.5;a{n}\n{n},5;b{n}\n" for n in range(1, 9)) + "9.5;c\n")
    issue = the(profile, "mixed_decimals")
    assert issue.message.startswith(
        "price has 9 numbers with a decimal point, such as “1.5”, and 8 with a decimal comma"
    )
    assert issue.rows == 8
    assert profile.column_profiles[0].semantic.type == "text"


def test_a_few_numbers_with_the_other_decimal_mark(profiled_file: Profiled) -> None:
    rows = "".join(f"{number}.5;b{number}\n" for number in range(1, 60))
    issue = the(profiled_file(f"price;code\n{rows}1,5;b60\n"), "untyped_values")
    assert "their decimal mark is a comma, that of the others a point" in issue.message


def test_rows_that_differ_only_in_what_could_not_be_typed_are_no_duplicates(profiled_file: Profiled) -> None:
    rows = "".join(f"{number},b\n" for number in range(1, 60))
    assert profiled_file("amount,code\n" + rows + "many,b\nfew,b\n").duplicate_rows.count == 0


def test_names_that_come_twice(profiled_file: Profiled) -> None:
    assert the(profiled_file("a,a,b\n1,2,x\n3,4,y\n"), "duplicate_column_names").columns == ["a_2"]


def test_the_gravest_first(profiled: Profiled) -> None:
    issues = profiled(
        {"a": [*SOUND, " x"], "b": [*SOUND, "CafÃ©"], "c": [*[float(number) for number in range(18)], 900.0]}
    ).issues
    assert [issue.code for issue in issues] == ["broken_encoding", "surrounding_whitespace", "outliers"]


def test_mending_has_the_registrys_names() -> None:
    assert set(PARAMETERS) == set(get_args(Operation))
    with pytest.raises(TypeError):
        mend("remove_columns", "Remove it.", column="a")


def test_hostile_values_stay_short_in_sentences(profiled: Profiled) -> None:
    hostile = " " + "<script>alert(1)</script>\x1b[31m" * 1000
    issue = the(profiled({"city": [*SOUND, hostile]}), "surrounding_whitespace")
    assert len(issue.message) < 200
    assert "\x1b" not in issue.message
    assert issue.example is not None
    assert len(issue.example.value) == 201


def test_every_code_has_its_place_in_the_order() -> None:
    assert len(set(get_args(IssueCode))) == len(get_args(IssueCode))


@pytest.mark.parametrize("value", ["+49 (30) 1234567", "-", "- a note (short)", "@handle", "=", "== heading ==", "-12"])
def test_what_no_spreadsheet_runs_is_no_formula(profiled: Profiled, value: str) -> None:
    assert "formulas" not in {issue.code for issue in profiled({"city": [*SOUND, value]}).issues}


def test_names_in_capitals(profiled: Profiled) -> None:
    names = ["Anna Smith", "Bob Jones", "CARLA DIAZ", "Dan O'Neil", "eve adams", "Fay Wu"]
    issue = the(profiled({"customer": names}), "inconsistent_case")
    assert issue.example is not None
    assert (issue.rows, issue.example.row, issue.example.value) == (2, 3, "CARLA DIAZ")
    assert done(issue) == ("change_text_casing", {"column": "customer", "case": "title"})


CUSTOMERS = """Customer ID,Full Name,Email,Phone,City,State,Signup Date,Age,Total Spent,Status,Newsletter
001,john smith,john.smith@email.com,(555) 123-4567,New York,NY,2023-01-15,34,"$1,234.50",active,yes
002,JANE DOE,jane.doe@email,555-234-5678,new york,NY,01/20/2023,28,$890.00,Active,no
003,Bob Johnson ,bob@email.com,5553456789,Los Angeles,CA,2023-02-01,seventy-two,N/A,inactive,YES
004,Alice Brown,alice.brown@email.com,+1 555 456 7890,Chicago,IL,"Feb 14, 2023",45,$2000,active,No
005,Charlie Wilson,,555.567.8901,Houston,TX,2023-03-01,,$450.75,ACTIVE,yes
006,Diana Miller,diana@email.com,(555) 678-9012,Phoenix,AZ,03/15/2023,31,$1100.00,pending,
007,Eve Davis,eve.davis@email.com,555-789-0123,Philadelphia,PA,2023-04-01,29,$780.25,active,yes
002,JANE DOE,jane.doe@email,555-234-5678,new york,NY,01/20/2023,28,$890.00,Active,no
008,Frank Garcia,frank.garcia@email.com,555-890-1234,San Antonio,TX,2023-04-15,52,$3200.00,inactive,no
009,grace lee,grace@email.com,N/A,San Diego,CA,2023-05-01,38,$567.80,active,Yes
010,Henry Martinez,henry@email.com,555-012-3456,Dallas,TX,05/15/2023,41,"$1,890.00",active,no
Total,,,,,,,,"$14,003.30",,
"""


def test_a_dirty_list_of_customers(profiled_file: Profiled) -> None:
    """The kind of sample that ModularData has: mixed phones, dates and currency, words for numbers, duplicates."""
    profile = profiled_file(CUSTOMERS)
    assert {column.name: column.semantic.type for column in profile.column_profiles} == {
        "Customer ID": "identifier",
        "Full Name": "name",
        "Email": "email",
        "Phone": "phone",
        "City": "text",
        "State": "state",
        "Signup Date": "date",
        "Age": "measure",
        "Total Spent": "currency",
        "Status": "category",
        "Newsletter": "boolean",
    }
    found = {(issue.code, *issue.columns): issue.rows for issue in profile.issues}
    expected = {
        ("untyped_values", "Age"): 1,
        ("duplicate_rows",): 1,
        ("invalid_values", "Email"): 2,
        ("null_words", "Phone"): 1,
        ("surrounding_whitespace", "Full Name"): 1,
        ("case_variants", "City"): 2,
        ("case_variants", "Status"): 3,
        ("inconsistent_case", "Full Name"): 4,
        ("footer_rows",): 1,
    }
    assert expected.items() <= found.items()
    assert not [key for key in found if key[0] == "invalid_values" and key[1] != "Email"]
