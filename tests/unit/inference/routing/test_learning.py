"""What was learned is kept, and changes the next ranking."""

from pathlib import Path

from codette_desktop.domain.answers import AnswerFigures, FinishReason
from codette_desktop.domain.tasks import TaskType
from codette_desktop.inference.routing.candidates import RoutableModel
from codette_desktop.inference.routing.learning import Learner
from codette_desktop.inference.routing.router import Router
from codette_desktop.store import Store

MODELS = [RoutableModel(name, name, 1_000_000_000, context_length=8192) for name in ("first", "second")]


def test_requests_decide_who_is_asked_next_after_a_restart_too(tmp_path: Path) -> None:
    router = Router()
    question = "Write a Python function that parses a date"
    with Store.open(tmp_path) as store:
        ranking = router.rank(question, [], MODELS, store.profiles.all())
        assert [item.model.name for item in ranking.candidates] == ["first", "second"]
        learner = Learner(store.profiles)
        for name, speed in (("first", 5.0), ("second", 50.0)):
            for _ in range(3):
                figures = AnswerFigures(20, 100, 100.0, speed, 100_000 / speed)
                learner.answered(name, TaskType.CODING, FinishReason.STOP, figures).result()
        learner.answered("first", TaskType.CODING, FinishReason.FAILED).result()
        learner.voted("second", TaskType.CODING, 10).result()
    with Store.open(tmp_path) as store:
        profiles = store.profiles.all()
    assert {key: profile.requests for key, profile in profiles.items()} == {
        ("first", ""): 4, ("first", "coding"): 4, ("second", ""): 3, ("second", "coding"): 3,
    }  # fmt: skip
    best = router.rank(question, [], MODELS, profiles).best
    assert best is not None
    assert best.model.name == "second"
    assert "writes 50 tokens/s here, the fastest of two" in best.reasons
