"""What several of these tests need."""

import pytest

from codette_desktop.inference.isolation import provider as isolation


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that were started."""
    pids: list[int] = []

    class Counted(isolation.WorkerProcess):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            pids.append(self.pid)

    monkeypatch.setattr(isolation, "WorkerProcess", Counted)
    return pids
