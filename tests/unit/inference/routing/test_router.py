"""Ranking: the score's properties, the hard rules, and reasons with real figures."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import ModelInfo
from codette_desktop.domain.profiles import ModelProfile
from codette_desktop.domain.tasks import Task, TaskType
from codette_desktop.inference.routing.candidates import RoutableModel, ScoreParts
from codette_desktop.inference.routing.capabilities import WEIGHTS, Capability, capabilities, match, quantisation_loss
from codette_desktop.inference.routing.health import Health, HealthState
from codette_desktop.inference.routing.preferences import Preferences
from codette_desktop.inference.routing.router import Ranking, Router

QUESTION = "Write a Python function that parses a date"
BILLION = 1_000_000_000
small = RoutableModel("small", "Small · Q8_0", BILLION, "Q8_0", "llama", 8192)
large = RoutableModel("large", "Large · Q4_K_M", 8 * BILLION, "Q4_K_M", "llama", 32768)
coder = RoutableModel("tiny-coder", "Tiny Coder · Q8_0", BILLION, "Q8_0", "qwen2", 8192)
router = Router()


def profile(name: str, speed: float = 40, response_ms: float = 2000, **more: float) -> ModelProfile:
    known = {"requests": 20, "successes": 18.0, "timed": 20, **more}
    return ModelProfile(name, response_ms=response_ms, tokens_per_second=speed, **known)  # pyright: ignore[reportArgumentType]


def ranked(
    models: list[RoutableModel], *profiles: ModelProfile, preferences: Preferences | None = None, **health: Health
) -> Ranking:
    known = {(item.model, item.task): item for item in profiles}
    return router.rank(QUESTION, [], models, known, health, preferences)


def names(ranking: Ranking) -> list[str]:
    return [candidate.model.name for candidate in ranking.candidates]


def test_the_total_is_forty_forty_twenty_and_the_bonus() -> None:
    assert ScoreParts(1, 0, 0).total == pytest.approx(0.4)
    assert ScoreParts(0, 1, 0).total == pytest.approx(0.4)
    assert ScoreParts(0, 0, 1).total == pytest.approx(0.2)
    assert ScoreParts(1, 1, 1, 0.1).total == pytest.approx(1.1)


@given(
    st.floats(0.1, 1000),
    st.floats(0.1, 1000),
    st.floats(10, 1e6),
    st.floats(0.1, 1),
    st.floats(0, 10),
    st.floats(0, 10),
)
def test_better_figures_never_lower_a_score(
    speed: float, other: float, response: float, shorter: float, worse: float, better: float
) -> None:
    rival = profile("large", speed=other)
    worse, better = sorted((worse, better))
    base = profile("small", speed, response, quality_votes=3, quality_points=3 * worse)

    def score(known: ModelProfile) -> float:
        found = ranked([small, large], known, rival)
        return next(item.score for item in found.candidates if item.model is small)

    before = score(base) - 1e-9
    assert score(replace(base, tokens_per_second=speed * 2)) >= before
    assert score(replace(base, response_ms=response * shorter)) >= before
    assert score(replace(base, successes=base.successes + 5)) >= before
    assert score(replace(base, quality_points=3 * better)) >= before
    assert score(replace(base, failures=base.failures + 5)) <= before + 2e-9


def test_the_fastest_is_said_to_be_so_with_its_figure() -> None:
    found = ranked([small, large, coder], profile("small", 42), profile("large", 12, 9000), profile("tiny-coder", 30))
    reasons = {item.model.name: item.reasons for item in found.candidates}
    assert "writes 42 tokens/s here, the fastest of three" in reasons["small"]
    assert "writes 12 tokens/s here" in reasons["large"]
    assert "typically answers in 9.0 s" in reasons["large"]


def test_what_failed_and_what_was_voted_is_told() -> None:
    known = profile("small", successes=6.0, failures=2.0, quality_votes=1, quality_points=10.0)
    (only,) = ranked([small], known).candidates
    assert "but 25% of its recent requests failed" in only.reasons
    assert "its quality is 6.7 of 10 after 1 vote" in only.reasons
    assert "writes 40 tokens/s here" in only.reasons  # alone, it is not called the fastest


def test_a_prompt_that_does_not_fit_rejects_whatever_the_rest() -> None:
    short = replace(small, name="short", context_length=2048)
    text = "Summarise this: " + "word " * 2170
    preferences = Preferences(dict.fromkeys(TaskType, ("short",)))
    found = router.rank(text, [], [short, large], {("short", ""): profile("short", 900)}, None, preferences)
    assert names(found) == ["large"]
    (rejected,) = found.rejected
    assert rejected.rejected
    assert rejected.score == 0
    tokens = f"{found.task.prompt_tokens:,}"
    assert tokens.startswith("3,1")
    assert rejected.reasons == (f"its context of 2,048 tokens is too short for this prompt of about {tokens}",)


def test_history_counts_and_an_answer_needs_room() -> None:
    before = [Message(Role.USER, "x" * 3 * 1900), Message(Role.ASSISTANT, "y")]
    found = router.rank(QUESTION, before, [replace(small, context_length=1900)])
    assert found.best is None
    assert "leaves no room for an answer" in found.rejected[0].reasons[0]


def test_every_hard_rule_rejects_and_is_told() -> None:
    remote = replace(small, name="remote", local=False)
    broken = replace(small, name="broken", problem="its file is damaged")
    found = ranked(
        [remote, broken, large, small],
        preferences=Preferences(local_only=True),
        large=Health(HealthState.UNHEALTHY, 0.9, "connection refused"),
    )
    assert names(found) == ["small"]
    assert [item.reasons[0] for item in found.rejected] == [
        "it would send the prompt to another computer, and prompts are to stay on this one",
        "it cannot be loaded: its file is damaged",
        "it does not work at present: connection refused",
    ]
    assert names(ranked([remote])) == ["remote"]


def test_the_rejected_do_not_set_the_standard() -> None:
    gone = Health(HealthState.UNHEALTHY)
    alone = ranked([small], profile("small", 40)).candidates[0].score
    found = ranked([small, large], profile("small", 40), profile("large", 4000, 1), large=gone)
    assert found.candidates[0].score == pytest.approx(alone)


def test_degraded_health_lowers_the_score_and_is_told() -> None:
    twin = replace(small, name="twin")
    found = ranked(
        [small, twin], small=Health(HealthState.DEGRADED, why="3 of 10 checks failed"), twin=Health(HealthState.HEALTHY)
    )
    assert names(found) == ["twin", "small"]
    assert "is not in good health (50%): 3 of 10 checks failed" in found.candidates[1].reasons
    assert found.candidates[0].score - found.candidates[1].score == pytest.approx(0.1)


@given(st.permutations(["a", "b", "c", "d"]))
def test_equal_scores_stay_in_the_order_given(order: list[str]) -> None:
    assert names(ranked([replace(small, name=name) for name in order])) == order


def test_preferences_decide_between_equals_and_are_told() -> None:
    models = [replace(small, name=name) for name in "abcd"]
    preferences = Preferences({TaskType.CODING: ("c", "b")}, avoided=frozenset("a"))
    found = ranked(models, preferences=preferences)
    assert names(found) == ["c", "b", "d", "a"]
    assert found.candidates[0].reasons[0] == "you prefer it for coding"
    assert found.candidates[3].reasons[0] == "you asked to avoid it"


def test_a_task_profile_speaks_for_itself_once_it_has_enough_requests() -> None:
    overall = profile("small", 40)
    few = replace(overall, task="coding", tokens_per_second=7.0, requests=4)
    assert "writes 40 tokens/s here" in ranked([small], overall, few).candidates[0].reasons
    assert "writes 7.0 tokens/s here" in ranked([small], overall, replace(few, requests=5)).candidates[0].reasons


def test_a_model_never_asked_says_so() -> None:
    assert "it has not answered here yet, so its speed is unknown" in ranked([small]).candidates[0].reasons


def test_exploring_is_off_by_default_seeded_and_finds_the_little_known() -> None:
    known, new = profile("small"), ModelProfile("twin", requests=1)
    twin = replace(small, name="twin")
    profiles = {("small", ""): known, ("twin", ""): replace(new, response_ms=2000, tokens_per_second=40)}

    def first(chosen: Router) -> list[str]:
        return [names(chosen.rank(QUESTION, [], [small, twin], profiles))[0] for _ in range(40)]

    assert set(first(Router())) == {"small"}
    assert first(Router(explore_seed=3)) == first(Router(explore_seed=3))
    assert set(first(Router(explore_seed=3))) == {"small", "twin"}


def test_capabilities_grow_with_size_and_shrink_with_few_bits() -> None:
    assert set(capabilities(small)) == set(Capability)
    assert capabilities(large)[Capability.REASONING] > capabilities(small)[Capability.REASONING]
    losses = [
        quantisation_loss(name) for name in ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ3_XS", "Q2_K", "IQ1_S")
    ]
    assert losses == sorted(losses)
    assert losses[:3] == [0, 0, 0]
    assert capabilities(coder)[Capability.CODING] > capabilities(small)[Capability.CODING]
    base = replace(small, has_chat_template=False)
    assert capabilities(base)[Capability.INSTRUCTIONS] < capabilities(small)[Capability.INSTRUCTIONS]
    assert max(capabilities(replace(large, starter=True)).values()) < 0.1
    assert all(sum(row.values()) == pytest.approx(1) for row in WEIGHTS.values())


def test_a_hard_task_asks_for_a_larger_model_an_easy_one_does_not() -> None:
    hard, easy = Task(TaskType.CODING, complexity=0.9), Task(TaskType.CODING, complexity=0.1)
    assert match(large, hard, None) > match(small, hard, None) + 0.1
    assert match(large, easy, None) == pytest.approx(match(small, easy, None), abs=0.02)


def test_votes_replace_the_estimate() -> None:
    task = Task(TaskType.CODING, complexity=0.9)
    loved = profile("small", quality_votes=90, quality_points=900.0)
    assert match(small, task, loved) > 0.9 > match(small, task, None)


def test_a_model_of_the_library_is_taken_over() -> None:
    info = ModelInfo("m", "M", Path("m.gguf"), "llama", "Q8_0", 5, 6, 4096, 7, "{{ x }}", "ab" * 32)
    taken = RoutableModel.from_info(info, context_length=2048)
    assert (taken.key, taken.context_length, taken.has_chat_template) == ("ab" * 32, 2048, True)
    assert RoutableModel.from_info(replace(info, file_hash="")).key == "m"
