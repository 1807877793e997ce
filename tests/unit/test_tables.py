"""Tables: data stands in rows and columns, a layout is read from cell to cell."""

from __future__ import annotations

from typing import Any

import pytest

from bot.mail import html_text, rich_text, tables
from bot.mail.lines import Kind
from bot.sandbox.slack.validate import message_blocks
from tests.fakes.block_rules import problems

ROW = "<tr><td>{}<td>{}<td>{}"
DATA = "<table>" + ROW.format("a", "b", "c") + ROW.format("d", "e", "f") + "</table>"


def blocks(html: str) -> list[dict[str, Any]]:
    """The blocks of a page, held against Slack's rules and the sandbox's."""
    found = rich_text.fitted(html_text.parsed(html), 3000, 3000).blocks
    assert problems(found) == []
    assert len(message_blocks(found)) == len(found)
    return found


def cells(block: dict[str, Any]) -> list[list[str]]:
    """The texts of a table's cells."""
    return [
        ["".join(each["text"] for each in cell["elements"][0]["elements"]) for cell in row]
        for row in block["rows"]
    ]


def lines(html: str) -> list[str]:
    """What a reader sees, line by line."""
    return [line.text for line in html_text.parsed(html).lines if line.text]


def test_data_is_slacks_own_table() -> None:
    """A table of data is a table in the post, between the text above and below, its links alive."""
    heading = "<tr><th>Item<th>Count<th>Price</tr>"
    html = (
        f"<p>Yours:<table>{heading}{ROW.format('<a href=http://x.example/1>Tea</a>', '2', '€ 4')}</table>Bye"
    )

    above, table, below = blocks(html)

    assert [above["type"], below["type"]] == ["rich_text", "rich_text"]
    assert cells(table) == [["Item", "Count", "Price"], ["Tea", "2", "€ 4"]]
    assert table["rows"][1][0]["elements"][0]["elements"] == [
        {"type": "link", "url": "http://x.example/1", "text": "Tea"}
    ]


def test_second_table_is_aligned_text() -> None:
    """Slack takes one table a post; the next stands in columns of equal letters, wide ones counted as two."""
    html = DATA + "<table>" + ROW.format("日本", "b", "c") + ROW.format("Kyoto", "e", "f") + "</table>"

    table, text = blocks(html)

    assert table["type"] == "table"
    [code] = text["elements"]
    assert code["type"] == "rich_text_preformatted"
    assert code["elements"][0]["text"] == "日本   b  c\nKyoto  e  f"


@pytest.mark.parametrize(
    ("html", "seen"),
    [
        ("<table><tr><td>Name:<td>Bob<tr><td>Age<td>5</table>", ["Name: Bob", "Age: 5"]),
        ("<table><tr><th>Total<td><b>9</b><tr><th>Tax<td></table>", ["Total: 9", "Tax"]),
        ("<table><caption>C</caption><tr><th>a<td>1<tr><th>b<td>2</table>", ["C", "a: 1", "b: 2"]),
        ("<table><tr><td><td>a<td>1<tr><td><td>b<td>2</table>", ["a: 1", "b: 2"]),
    ],
)
def test_two_columns_are_labels_and_values(html: str, seen: list[str]) -> None:
    """Of two columns the first names the second; empty rows and columns are left out."""
    assert lines(html) == seen


@pytest.mark.parametrize(
    "html",
    [
        DATA.replace("<table>", "<table role=presentation>"),
        f"<table><tr><td>{DATA.replace('<table>', '<table role=none>')}<td>x<tr><td>y<td>z</table>",
        "<table><tr><td>a<td>b<td>c</table>",
        "<table><tr><td>a<tr><td>b<tr><td>c</table>",
        DATA.replace(">b", ">" + "long " * 30),
        DATA.replace(">b", "><ul><li>b</ul>"),
        DATA.replace(">b", "><p>b<p>b<p>b"),
        "<table><tr><td>a<td><td><td><tr><td><td>b<td><td></table>",
    ],
)
def test_layout_is_read_cell_by_cell(html: str) -> None:
    """What only arranges a page is text in the order in which it is read."""
    assert Kind.TABLE not in {line.kind for line in html_text.parsed(html).lines}
    assert not any(": " in line or " | " in line for line in lines(html))


def test_cells_over_several_rows_and_columns() -> None:
    """Every column stands below its heading where cells span others."""
    html = "<table><tr><th>a<th>b<th>c<tr><td rowspan=2>1<td colspan=2>2<tr><td>3<td>4</table>"

    [table] = blocks(html)

    assert cells(table) == [["a", "b", "c"], ["1", "2", " "], [" ", "3", "4"]]


@pytest.mark.parametrize(("rows", "columns"), [(101, 3), (3, 21)])
def test_tables_over_slacks_limits(rows: int, columns: int) -> None:
    """A table that Slack would refuse is text."""
    html = "<table>" + ("<tr>" + "<td>a" * columns) * rows + "</table>"

    assert {block["type"] for block in blocks(html)} == {"rich_text"}


def test_wide_rows_are_lines() -> None:
    """Rows that would wrap are not aligned: a bar parts their cells."""
    wide = "<table>" + ROW.format("a " * 29, "b " * 29, "c") * 2 + "</table>"

    [line, _] = [line for line in lines(DATA + wide) if line.startswith("a a")]

    assert line.endswith("b | c")


def test_tables_in_quotes_and_lists() -> None:
    """Where Slack has no place for a table, its rows are lines there."""
    assert lines(f"<blockquote>{DATA}</blockquote>") == ["a | b | c", "d | e | f"]
    assert lines(f"<ul><li>x{DATA}</ul>") == ["x", "a | b | c", "d | e | f"]


def test_hidden_cells_stay_hidden() -> None:
    """A hidden row or cell of a table is not in the post."""
    html = DATA.replace("<tr><td>a", "<tr style='display:none'><td>x<td>x<td>x<tr><td hidden>x<td>a")

    assert not any("x" in line for line in lines(html))


def test_links_without_room_are_text() -> None:
    """When link targets take too much room, a table's cells stay, without them."""
    html = DATA.replace(">a", f"><a href='http://x.example/{'p' * 200}'>a</a>")

    found = rich_text.fitted(html_text.parsed(html), 3000, 100)

    assert found.is_cut
    assert cells(found.blocks[0])[0] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("ｱ", 1), ("👍", 2), ("\u200d", 0)]
)
def test_display_width(text: str, width: int) -> None:
    """A letter takes as many columns as a terminal gives it."""
    assert tables.display_width(text) == width
