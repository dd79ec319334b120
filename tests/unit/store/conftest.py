"""A store of its own for each test, in a real file."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.requests import Sampling
from codette_desktop.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def generation() -> Generation:
    return Generation(
        id="generation-1",
        model="guide-s",
        model_label="Guide S · Q8_0",
        model_hash="ab" * 32,
        quantisation="Q8_0",
        sampling=Sampling(temperature=0.3, stop=("\n\n", "Ende")),
        seed=None,
        engine_build="b1234",
        device="CPU",
        started_at=datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC),
    )
