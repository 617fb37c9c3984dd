"""CSV files that people open in a spreadsheet and give back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvimon_rillet.csv_files import csv_rows, csv_text, disarmed

COLUMNS = ("act", "name")
CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)


def read(text: str) -> list[tuple[int, dict[str, str]]]:
    return list(csv_rows(text.encode(), COLUMNS))


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_what_is_written_is_read_again(rows: list[tuple[str, str]]) -> None:
    written = csv_text(COLUMNS, [dict(zip(COLUMNS, row, strict=True)) for row in rows])

    expected = [[disarmed(cell).strip() for cell in row] for row in rows]
    found = [[row[name] for name in COLUMNS] for _, row in read(written)]
    assert found == [row for row in expected if any(row)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_of_all_spreadsheets_are_read(delimiter: str, mark: str, end: str) -> None:
    lines = [["Act ", "name", "extra"], ["link", " Quay ", "x"], ["", "", ""], ["unlink", "Pier"]]

    rows = read(mark + end.join(delimiter.join(line) for line in lines))

    assert rows == [
        (2, {"act": "link", "name": "Quay", "extra": "x"}),
        (4, {"act": "unlink", "name": "Pier", "extra": ""}),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("act,name\nlink,Société".encode("latin-1"), "CSV UTF-8"),
        (b"act\nlink", "lacks the column name"),
        (b"", "lacks the column act"),
        (b'act,name\nlink,"open', "is no CSV"),
    ],
    ids=["another encoding", "a missing column", "an empty file", "an open quote"],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_remedy(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        list(csv_rows(content, COLUMNS))


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", " =1", "＝1", "a;=1"])
def test_no_cell_is_computed_by_a_spreadsheet(cell: str) -> None:
    assert "'" in disarmed(cell)


@pytest.mark.parametrize("cell", ["-12.50", "prod_AbC123", "Quay 11", ""])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert disarmed(cell) == cell
