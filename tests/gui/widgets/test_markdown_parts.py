"""Splitter, parser and tail: no widgets."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codette_desktop.gui.widgets.markdown.parser import MAX_COLUMNS, ChunkParser
from codette_desktop.gui.widgets.markdown.pieces import CodePiece, Piece, Style, TablePiece, TextPiece
from codette_desktop.gui.widgets.markdown.splitter import ChunkSplitter
from codette_desktop.gui.widgets.markdown.tail import completed, open_fence

# Pieces of Markdown that meet each other in every order.
FRAGMENTS = st.sampled_from(
    [
        "word ",
        "**bold** ",
        "*it",
        "`code` ",
        "```",
        "```py\n",
        "~~~\n",
        "\n",
        "\n\n",
        "- item\n",
        "  - sub\n",
        "1. one\n",
        "   text\n",
        "# Head\n",
        "> quote\n",
        "| a | b |\n",
        "|---|---|\n",
        "| 1 | 2 |\n",
        "$x^2$ ",
        "$$\n",
        "\\[a\\] ",
        "---\n",
        "    indented\n",
        "[l](https://x.y) ",
        "![i](file:///x) ",
        "<b>raw</b> ",
        "[x]: https://a.b\n",
        "- [x] done\n",
        "\\",
    ]
)
MARKDOWN = st.lists(st.one_of(FRAGMENTS, st.text(max_size=8)), max_size=40).map("".join)


def chunks_of(text: str, cuts: list[int] | None = None) -> list[str]:
    splitter = ChunkSplitter()
    closed: list[str] = []
    edges = sorted({cut % (len(text) + 1) for cut in cuts or []} | {0, len(text)})
    for start, end in pairwise(edges):
        closed += splitter.feed(text[start:end])
    return closed + splitter.finish()


def pieces_of(text: str) -> list[Piece]:
    parser = ChunkParser()
    return [piece for chunk in chunks_of(text) for piece in parser.parse(chunk)]


def spans_of(text: str) -> list[tuple[str, Style]]:
    return [
        (span.text, span.style)
        for piece in pieces_of(text)
        if isinstance(piece, TextPiece)
        for block in piece.blocks
        for span in block.spans
    ]


def shown(text: str) -> str:
    return "".join(part for part, _ in spans_of(text))


@given(MARKDOWN, st.lists(st.integers(0, 10_000), max_size=30))
def test_chunks_are_the_text_and_do_not_depend_on_how_it_came(text: str, cuts: list[int]) -> None:
    assert "".join(chunks_of(text)) == text
    assert chunks_of(text, cuts) == chunks_of(text)


@given(MARKDOWN)
@settings(max_examples=60)
def test_every_prefix_can_be_parsed_as_a_tail(text: str) -> None:
    parser = ChunkParser()
    splitter = ChunkSplitter()
    splitter.feed(text)
    if splitter.tail_is_fence:
        assert isinstance(open_fence(splitter.tail), CodePiece)
    else:
        parser.parse(completed(splitter.tail), final=False)


def test_a_fence_is_not_cut_at_its_blank_lines() -> None:
    code = "```python\na\n\nb\n```\n"
    assert chunks_of(f"before\n{code}after\n") == ["before\n", code, "after\n"]


def test_code_inside_a_list_item_stays_with_it_and_the_count_goes_on() -> None:
    pieces = pieces_of("1. one\n   ```sh\n   ls\n\n   pwd\n   ```\n   more\n1. two\n1. three\n")
    assert [type(piece) for piece in pieces] == [TextPiece, CodePiece, TextPiece, TextPiece, TextPiece]
    assert pieces[1] == CodePiece("sh", "ls\n\npwd", 1)
    numbers = [
        block.mark.number for piece in pieces if isinstance(piece, TextPiece) for block in piece.blocks if block.mark
    ]
    assert numbers == [1, 2, 3]


def test_a_list_after_a_paragraph_counts_from_its_own_start() -> None:
    pieces = pieces_of("3. three\n\ntext\n\n1. one\n")
    marks = [block.mark for piece in pieces if isinstance(piece, TextPiece) for block in piece.blocks if block.mark]
    assert [mark.number for mark in marks] == [3, 1]


@pytest.mark.parametrize(
    "money",
    [
        "It costs $5 and $6.",
        "from $10-$20",
        "$5",
        "between $5 and 10$ more",
        "$1,000 or $2,000",
        "US$ 3 to US$ 4",
        "$5/$6",
    ],
)
def test_money_is_not_math(money: str) -> None:
    assert not any(Style.MATH in style for _, style in spans_of(money))
    assert shown(money) == money


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("$x$", "x"),
        ("so $E = mc^2$.", "E = mc^2"),
        ("\\(a+b\\)", "a+b"),
        ("$\\frac12$", "\\frac12"),
        ("$$y$$", "y"),
        ("\\[ z \\]", "z"),
        ("$$\na\n- b\n$$", "a\n- b"),
        ("$2x + 1 = 0$", "2x + 1 = 0"),
        ("- item $n$", "n"),
    ],
)
def test_latex_is_math(text: str, latex: str) -> None:
    assert [part for part, style in spans_of(text) if Style.MATH in style] == [latex]


def test_code_keeps_dollars_and_backslashes() -> None:
    assert spans_of("`$x$ \\(y\\)`") == [("$x$ \\(y\\)", Style.CODE)]


def test_html_is_text() -> None:
    raw = "<script>alert(1)</script> <b>x</b>"
    assert shown(raw) == raw
    assert shown("<div>\n<img src=x onerror=y>\n</div>") == "<div> <img src=x onerror=y> </div>"


def test_only_web_and_mail_links_are_links() -> None:
    pieces = pieces_of("[a](javascript:x) [b](file:///etc) [c](https://x.y) <mailto:a@b.c> https://d.e/f.")
    assert isinstance(pieces[0], TextPiece)
    spans = pieces[0].blocks[0].spans
    assert [span.href for span in spans if span.href] == ["https://x.y", "mailto:a@b.c", "https://d.e/f"]


def test_images_are_told_not_shown() -> None:
    assert ("Image not loaded: a cat", Style.IMAGE) in spans_of("![a cat](https://x.y/cat.png)")
    assert ("Image not loaded: file:///etc/passwd", Style.IMAGE) in spans_of("![](file:///etc/passwd)")


def test_tables_keep_their_alignment() -> None:
    (table,) = pieces_of("| a | b |\n|:-:|--:|\n| 1 | **2** |\n")
    assert isinstance(table, TablePiece)
    assert table.aligns == ("center", "right")
    assert [[cell[0].text for cell in row] for row in table.rows] == [["a", "b"], ["1", "2"]]


def test_a_table_of_ten_thousand_columns_is_shown_as_text() -> None:
    source = "|" + "a|" * 10_000 + "\n|" + "-|" * 10_000 + "\n|" + "1|" * 10_000
    pieces = pieces_of(source)
    assert not any(isinstance(piece, TablePiece) and len(piece.aligns) > MAX_COLUMNS for piece in pieces)


@pytest.mark.parametrize(
    "hostile",
    [
        "> " * 5_000 + "x",
        "- " * 3_000 + "x",
        "[" * 5_000,
        "*" * 20_000,
        "`" * 9_999 + "x",
        "((" * 3_000,
        "![" * 3_000,
        "$" * 9_999,
        "\\[" * 4_000,
        "~~~\n" * 2_001,
        "| " * 3_000,
        "&#0;&#xD800;",
        "a\n" * 20_000,
        "<" * 9_999,
    ],
    ids=range(14),
)
def test_hostile_text_is_parsed(hostile: str) -> None:
    assert pieces_of(hostile)


@pytest.mark.parametrize(
    ("tail", "seen"),
    [
        ("Open **Comp", "Open **Comp**"),
        ("Open **Compare*", "Open **Compare**"),
        ("see `cod", "see `cod`"),
        ("plain", "plain"),
        ("a **", "a "),
        ("`a` and **b", "`a` and **b**"),
        ("x `", "x "),
    ],
)
def test_marks_that_have_begun_are_closed_in_the_tail(tail: str, seen: str) -> None:
    assert completed(tail) == seen


def test_half_a_closing_fence_is_not_shown() -> None:
    assert open_fence("```py\nx = 1\n``") == CodePiece("py", "x = 1")
    assert open_fence("```pyth") == CodePiece("", "")
