"""Fails a test in which the application logged a warning or an error that the test did not announce.

A pytest plugin, loaded by tests/conftest.py. `@pytest.mark.allow_log("pattern")` announces: records that match are
fine, and one must come, or the test has stopped testing what it says. asyncio is watched too, since it logs exceptions
of tasks nobody awaited.
"""

import logging
import re
from collections.abc import Iterator

import pytest

WATCHED = ("codette_desktop", "asyncio")


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.levelname} {record.name}: {record.getMessage()}"
        if record.exc_info and record.exc_info[1] is not None:
            text += f" ({record.exc_info[1]!r})"
        self.messages.append(text)


@pytest.fixture(autouse=True)
def no_unexpected_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail on records from WARNING upwards that no `allow_log` announced, and on announced ones that never came."""
    patterns = [str(mark.args[0]) for mark in request.node.iter_markers("allow_log")]
    collector = _Collector()
    for name in WATCHED:
        logging.getLogger(name).addHandler(collector)
    yield
    for name in WATCHED:
        logging.getLogger(name).removeHandler(collector)
    unexpected = [text for text in collector.messages if not any(re.search(pattern, text) for pattern in patterns)]
    absent = [pattern for pattern in patterns if not any(re.search(pattern, text) for text in collector.messages)]
    if unexpected:
        pytest.fail("logged unexpectedly: " + "; ".join(unexpected), pytrace=False)
    if absent:
        pytest.fail(f"announced by allow_log, but never logged: {', '.join(absent)}", pytrace=False)
