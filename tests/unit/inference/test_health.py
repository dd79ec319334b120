"""Health from answers, failures and checks; the clock is the test's own."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest

from codette_desktop.domain.answers import AnswerEnd, AnswerFigures, ContextUse, FinishReason
from codette_desktop.domain.errors import CodetteError, EngineFailure, InvalidRequest, ServerUnreachable
from codette_desktop.domain.events import AnswerFinished, EventBus, HealthChanged, ProviderFailed, ServerChecked
from codette_desktop.inference.health import EVERY_S, SOONEST_S, HealthMonitor
from codette_desktop.inference.routing.health import HealthState

MODEL = "shed/qwen"
GONE = ServerUnreachable("Nothing answers at the shed.")


class World:
    """What the monitor sees: a bus, a clock, and models that are well or not."""

    def __init__(self) -> None:
        self.bus = EventBus()
        self.now = 1000.0
        self.ill: dict[str, CodetteError] = {}
        self.checked: list[str] = []
        self.told: list[HealthChanged] = []
        self.bus.subscribe(HealthChanged, self.told.append)
        self.monitor = HealthMonitor(self.bus, self.check, lambda: [MODEL, "local"], clock=lambda: self.now)

    async def check(self, name: str) -> None:
        self.checked.append(name)
        if name in self.ill:
            raise self.ill[name]

    def fails(self, error: CodetteError | None = None) -> None:
        self.bus.publish(ProviderFailed("", MODEL, error or EngineFailure("It broke.")))

    def answers(self, *, cached: bool = False) -> None:
        figures = AnswerFigures(9, 3, 10.0, 50.0, 70.0, cached=cached)
        use = ContextUse(1024, 0, 0, 9)
        end = AnswerEnd(FinishReason.STOP, figures, use, 1, MODEL, "Qwen", "", "build")
        self.bus.publish(AnswerFinished("", end))

    @property
    def state(self) -> HealthState:
        return self.monitor.of(MODEL).state


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def running(world: World) -> "Iterator[None]":  # pyright: ignore[reportInvalidTypeForm]
    task = asyncio.create_task(world.monitor.run())
    await asyncio.sleep(0)
    yield  # pyright: ignore[reportReturnType]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def turn(world: World, seconds: float) -> None:
    """Let time pass, and have the monitor look at the clock: any failure elsewhere wakes it."""
    world.now += seconds
    world.bus.publish(ProviderFailed("", "another", EngineFailure("It broke.")))
    await asyncio.sleep(0.02)


def test_nothing_is_known_of_a_model_nobody_has_asked(world: World) -> None:
    assert world.state is HealthState.UNKNOWN
    assert world.monitor.all() == {}


def test_one_failure_degrades_two_make_ill_and_an_answer_heals_slowly(world: World) -> None:
    world.answers()
    assert world.state is HealthState.HEALTHY
    world.fails()
    assert world.state is HealthState.DEGRADED
    assert world.monitor.of(MODEL).why == "It broke."
    world.fails()
    assert world.state is HealthState.UNHEALTHY
    world.answers()
    assert world.state is HealthState.DEGRADED
    first = world.monitor.of(MODEL).value
    for _ in range(7):
        world.answers()
    assert world.monitor.of(MODEL).value > first
    for _ in range(3):
        world.answers()
    assert world.state is HealthState.HEALTHY
    assert [event.state for event in world.told] == ["healthy", "degraded", "unhealthy", "degraded", "healthy"]


def test_what_is_not_the_models_fault_does_not_count(world: World) -> None:
    world.answers()
    for _ in range(3):
        world.fails(InvalidRequest("The grammar is wrong."))
    assert world.state is HealthState.HEALTHY


def test_a_cached_answer_says_nothing_of_health(world: World) -> None:
    world.fails()
    world.fails()
    world.answers(cached=True)
    assert world.state is HealthState.UNHEALTHY


async def test_a_check_that_fails_makes_ill_and_one_that_passes_makes_worth_trying(world: World) -> None:
    world.answers()
    world.ill[MODEL] = GONE
    await world.monitor.check([MODEL])
    assert world.state is HealthState.UNHEALTHY
    assert world.monitor.of(MODEL).why == GONE.message
    world.ill.clear()
    await world.monitor.check([MODEL])
    assert world.state is HealthState.HEALTHY
    world.fails()
    world.fails()
    await world.monitor.check([MODEL])
    assert world.state is HealthState.DEGRADED


def test_what_a_server_says_of_itself_concerns_its_models(world: World) -> None:
    world.answers()
    world.bus.publish(ServerChecked("shed", "It is closed."))
    assert world.state is HealthState.UNHEALTHY
    world.bus.publish(ServerChecked("barn", ""))
    assert world.state is HealthState.UNHEALTHY
    world.bus.publish(ServerChecked("shed"))
    assert world.state is HealthState.HEALTHY


def test_a_server_that_cannot_be_reached_takes_all_its_models_out(world: World) -> None:
    world.fails(GONE)
    assert world.monitor.of("shed/another").state is HealthState.UNHEALTHY
    assert world.monitor.of("shed/another").why == GONE.message
    assert world.monitor.of("barn/another").state is HealthState.UNKNOWN
    world.bus.publish(ServerChecked("shed"))
    assert world.monitor.of("shed/another").state is HealthState.UNKNOWN


def test_one_failure_is_enough_where_there_never_was_an_answer(world: World) -> None:
    world.fails()
    assert world.state is HealthState.UNHEALTHY


async def test_all_are_checked_every_five_minutes(world: World, running: None) -> None:
    await turn(world, EVERY_S - 1)
    assert MODEL not in world.checked
    await turn(world, 1)
    assert world.checked.count(MODEL) == world.checked.count("local") == 1
    await turn(world, EVERY_S)
    assert world.checked.count("local") == 2


async def test_what_failed_is_checked_soon_then_ever_more_seldom(world: World, running: None) -> None:
    world.ill[MODEL] = GONE
    world.fails()
    await turn(world, SOONEST_S - 1)
    assert MODEL not in world.checked
    await turn(world, 1)
    assert world.checked.count(MODEL) == 1
    await turn(world, SOONEST_S)
    assert world.checked.count(MODEL) == 1  # it failed: twice as long now
    await turn(world, SOONEST_S)
    assert world.checked.count(MODEL) == 2
    world.ill.clear()
    await turn(world, 4 * SOONEST_S)
    assert world.checked.count(MODEL) == 3
    assert world.state is HealthState.DEGRADED
    await turn(world, 8 * SOONEST_S)
    assert world.checked.count(MODEL) == 3  # it is there again


@pytest.mark.allow_log("the check of shed/qwen failed")
async def test_a_check_that_breaks_is_told_and_ends_nothing(world: World, running: None) -> None:
    world.ill[MODEL] = PermissionError("no way")  # type: ignore[assignment] - no CodetteError, as a defect raises
    world.fails()
    await turn(world, SOONEST_S)
    assert "no way" in world.monitor.of(MODEL).why
    world.ill.clear()
    await turn(world, EVERY_S)
    assert world.checked.count("local") == 1
