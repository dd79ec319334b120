"""Changes to the text of a configuration file: what is not changed stays as it was written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.configuration.document import parse, plain
from codette_desktop.configuration.editing import add, comment_lines, get, remove, set_value
from codette_desktop.configuration.rendering import inline, lines
from codette_desktop.domain.errors import ConfigurationError

TEXT = """\
# top
models:
  # about writer
  writer:
    model: "x"   # in quotes
    sampling:
      # warm
      temperature: 0.5
    priority: ${P:-3} # keep

  # about two
  two:
  three: {priority: 1, cache: true}
roles:
  poet:
    prompt: |
      a
      # not a comment

  # end of roles
fallbacks:
  default:
  - a
  # between
  - b
  # end
"""


THREE = "  three: {priority: 1, cache: true}"
PROMPT = "    prompt: |\n      a\n      # not a comment"


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("path", "value", "gone", "come"),
    [
        (("models", "writer", "model"), "y: z", '    model: "x"   # in quotes', '    model: "y: z"   # in quotes'),
        (("models", "writer", "priority"), 5, "    priority: ${P:-3} # keep", "    priority: 5 # keep"),
        (("models", "two", "cache"), False, "", "    cache: false"),
        (("models", "three", "gpu"), "off", THREE, THREE.replace("}", ", gpu: off}")),
        (("routing", "local_only"), True, "", "routing:\n  local_only: true"),
        (("roles", "poet", "prompt"), "b\nc", PROMPT, "    prompt: |-\n      b\n      c"),
    ],
)  # fmt: skip
def test_only_what_is_changed_changes(path: tuple[str, ...], value: Any, gone: str, come: str) -> None:
    after = set_value(TEXT, path, value)
    assert changed_lines(TEXT, after) == (gone.splitlines(), come.splitlines())
    assert get(after, path) == value


def test_what_is_removed_leaves_its_comments() -> None:
    after = remove(TEXT, ("models",))
    assert comment_lines(after) == comment_lines(TEXT)
    assert list(plain(parse(after)[0])) == ["roles", "fallbacks"]
    after = remove(TEXT, ("models", "three", "priority"))
    assert "three: {cache: true}" in after
    assert get(remove(TEXT, ("fallbacks", "default", "0")), ("fallbacks", "default")) == ["b"]


def test_a_list_grows_and_a_value_is_not_added_twice() -> None:
    assert get(add(TEXT, ("fallbacks", "default"), "c"), ("fallbacks", "default")) == ["a", "b", "c"]
    with pytest.raises(ConfigurationError, match="there already"):
        add(TEXT, ("models", "writer", "model"), "z")


def test_a_group_replaces_a_group_key_by_key() -> None:
    after = set_value(TEXT, ("models", "writer"), {"model": "q", "sampling": {"temperature": 0.5}})
    assert "model: q   # in quotes" in after
    assert "priority" not in after.split("two:", maxsplit=1)[0]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_an_empty_file_and_one_without_a_last_line_break_can_be_changed(ending: str) -> None:
    assert set_value("", ("a", "b"), 1) == "a:\n  b: 1\n"
    after = set_value(f"# x{ending}a:{ending}  b: 1", ("a", "c"), "${T}")
    assert after.replace("\r\n", "\n").startswith('# x\na:\n  b: 1\n  c: "${T}"')
    assert after.count("\r\n") == (0 if ending == "\n" else after.count("\n"))


@pytest.mark.parametrize("text", ["a: [", "- a\n", "a: 1\na: 2\n"])
def test_a_file_with_mistakes_must_be_mended_first(text: str) -> None:
    with pytest.raises(ConfigurationError):
        set_value(text, ("a",), 1)


def test_what_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(ConfigurationError, match="There is no models"):
        remove(TEXT, ("models", "nobody"))


def test_an_anchor_that_is_in_use_is_not_overwritten() -> None:
    text = "a: &x {b: 1}\nc: *x\n"
    with pytest.raises(ConfigurationError, match="text editor"):
        set_value(text, ("a",), 3)


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False), st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


@given(st.text(max_size=6), VALUES)
def test_every_value_is_written_so_that_it_reads_the_same(key: str, value: Any) -> None:
    for text in ("\n".join(lines(key, value, 0)), f"{inline(key)}: {inline(value)}"):
        root, problems = parse(text)
        assert not problems
        assert plain(root) == {key: value}


KEYS = st.sampled_from(
    ["models", "writer", "two", "three", "model", "sampling", "temperature", "priority", "new", "a.b"]
)
CHANGES = st.lists(
    st.tuples(st.booleans(), st.lists(KEYS, min_size=1, max_size=4).map(tuple), VALUES), min_size=1, max_size=6
)


@given(CHANGES)
def test_any_sequence_of_changes_keeps_every_comment_line(changes: list[tuple[bool, tuple[str, ...], Any]]) -> None:
    text = TEXT
    for is_set, path, value in changes:
        try:
            text = set_value(text, path, value) if is_set else remove(text, path)
        except ConfigurationError:
            continue
        root, problems = parse(text)
        assert not problems
        assert root is None or root.kind == "mapping"
        assert sorted(comment_lines(text)) == sorted(comment_lines(TEXT))
        assert "  # end of roles" in text
