"""Errors as a person reads them."""

import pytest

from codette_desktop.domain.errors import type_in_words


@pytest.mark.parametrize(
    ("name", "words"),
    [("ServerUnreachable", "server unreachable"), ("TimeoutError", "timeout error"), ("OSError", "oserror"),
     ("", "unknown error")],
)  # fmt: skip
def test_the_class_of_an_error_is_told_in_words(name: str, words: str) -> None:
    assert type_in_words(name) == words
