"""The style of an answer, as arenas count it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.votes import STYLE_FEATURES, Style
from codette_desktop.rating.style import style_differences, style_of

ANSWER = """# Title
Some **bold** and __also bold__ words, 2 * 3 ** 4, a#b.
## Part
- one
* two
  + nested
1. first
12. twelfth
#hashtag
```python
# no header
- no item
**no** bold
```
~~~
# none
```
- none
~~~
-no item
1) as public arenas count, none
"""


def test_what_stands_outside_of_code_is_counted() -> None:
    assert style_of(ANSWER, 99) == Style(len(ANSWER), 99, headers=2, list_items=5, bold=2)


def test_a_block_that_was_cut_off_goes_on_to_the_end() -> None:
    assert style_of("# a\n```\n# b\n- c\n", 5) == Style(16, 5, headers=1)
    assert style_of("````\n```\n# inside\n````\n# outside\n# too", 1).headers == 2
    assert style_of("```\n``` not an end\n# inside", 1).headers == 0
    assert style_of("", 0) == Style()


@given(st.text(alphabet="#*_-`~1. \nab", max_size=80))
def test_any_text_is_counted(text: str) -> None:
    found = style_of(text, 1)
    assert found.characters == len(text)
    assert found.headers + found.list_items <= text.count("\n") + 1


def test_differences_are_relative_and_mirrored() -> None:
    left, right = Style(0, 30, 1, 0, 3), Style(0, 10, 0, 0, 1)
    assert style_differences(left, right) == (0.5, 1.0, 0.0, 0.5)
    assert style_differences(right, left) == pytest.approx((-0.5, -1.0, 0.0, -0.5))
    assert len(style_differences(left, right)) == len(STYLE_FEATURES)
