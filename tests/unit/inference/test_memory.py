"""The budget of memory as a state machine: never over it, nobody starves, nothing locks."""

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from codette_desktop.domain.errors import ModelLoadFailed
from codette_desktop.inference.holding import NOTHING, Amount, Holding, Stage
from codette_desktop.inference.memory import MemoryBudget

SIZES = st.integers(1, 12)


@dataclass
class Computer:
    """Memory in which models really lie. Mapped weights of models in memory count as free, as systems do it."""

    total: int
    loads: list[Holding] = field(default_factory=list[Holding])
    loaded_share: float = 0.0
    asked_to_leave: list[Holding] = field(default_factory=list[Holding])

    def free(self) -> Amount:
        taken = 0
        for item in self.loads:
            if item.stage in (Stage.READY, Stage.LEAVING):
                taken += item.need.cpu - item.reclaimable.cpu
            elif item.stage is Stage.LOADING:
                taken += int((item.need.cpu - item.reclaimable.cpu) * self.loaded_share)
        return Amount(self.total - taken, 0)

    def holding(self, budget: MemoryBudget, size: int, mapped: int = 0, **options: Any) -> Holding:
        def leave() -> None:
            assert not made.users, "a model in use was told to leave"
            self.asked_to_leave.append(made)

        label = f"model {len(self.loads)}"
        made = Holding(budget, label, Amount(size), leave, reclaimable=Amount(min(mapped, size)), **options)
        self.loads.append(made)
        return made


class BudgetMachine(RuleBasedStateMachine):
    """Askers come, load, use, fail, give up, and ask for a second model while they use a first."""

    @initialize(total=st.integers(4, 16))
    def start(self, total: int) -> None:
        self.computer = Computer(total)
        self.budget = MemoryBudget(self.computer.free, grace_s=0)
        self.uses: list[Holding] = []
        self.askers: dict[Holding, list[Holding]] = {}

    def staged(self, stage: Stage) -> list[Holding]:
        return [item for item in self.computer.loads if item.stage is stage]

    @rule(size=SIZES, mapped=SIZES)
    def ask(self, size: int, mapped: int) -> None:
        waiting = self.budget.waiting()
        asked = self.budget.ask(self.computer.holding(self.budget, size, mapped))
        self.askers[asked] = []
        if size > self.computer.total:
            in_flight = self.staged(Stage.LOADING) + self.staged(Stage.LEAVING) + self.staged(Stage.WAITING)
            assert asked.refused or in_flight
        elif waiting:
            assert asked.stage is not Stage.LOADING or self.budget.waiting()[:1] == waiting[:1], "overtaken"

    @precondition(lambda self: self.uses)
    @rule(data=st.data(), size=SIZES)
    def ask_while_using(self, data: st.DataObject, size: int) -> None:
        held = data.draw(st.sampled_from(self.uses))
        self.uses.remove(held)
        asked = self.computer.holding(self.budget, size, holds=[held])
        self.askers[asked] = [held]
        self.budget.ask(asked)

    @rule(share=st.floats(0, 1))
    def loads_go_on(self, share: float) -> None:
        self.computer.loaded_share = share

    @precondition(lambda self: self.staged(Stage.LOADING))
    @rule(data=st.data(), well=st.booleans())
    def load_ends(self, data: st.DataObject, well: bool) -> None:
        loading = data.draw(st.sampled_from(self.staged(Stage.LOADING)))
        if well:
            loading.ready()
            self.uses.append(loading)  # by who asked
        else:
            loading.free()

    @precondition(lambda self: self.staged(Stage.READY))
    @rule(data=st.data())
    def use(self, data: st.DataObject) -> None:
        ready = data.draw(st.sampled_from(self.staged(Stage.READY)))
        if ready.take():
            self.uses.append(ready)
        else:
            assert ready.draining or ready.retired

    @precondition(lambda self: self.uses)
    @rule(data=st.data())
    def stop_using(self, data: st.DataObject) -> None:
        used = data.draw(st.sampled_from(self.uses))
        self.uses.remove(used)
        used.give_back()

    @precondition(lambda self: self.staged(Stage.READY))
    @rule(data=st.data())
    def retire(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.staged(Stage.READY))).retire()

    @precondition(lambda self: self.computer.asked_to_leave)
    @rule()
    def leave(self) -> None:
        self.computer.asked_to_leave.pop(0).free()

    @precondition(lambda self: self.staged(Stage.WAITING))
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.staged(Stage.WAITING))).free()

    @precondition(lambda self: any(item.stage is not Stage.WAITING for item in self.askers))
    @rule()
    def askers_go_on(self) -> None:
        """Who has been served, refused or has given up lets go of what it used meanwhile."""
        for asked in [item for item in self.askers if item.stage is not Stage.WAITING]:
            for held in self.askers.pop(asked):
                held.give_back()

    @invariant()
    def never_over_budget(self) -> None:
        held = sum(item.need.cpu for item in self.computer.loads if item.stage not in (Stage.WAITING, Stage.GONE))
        assert held <= self.computer.total

    @invariant()
    def what_is_used_stays(self) -> None:
        assert not any(item.users for item in self.staged(Stage.LEAVING))

    def teardown(self) -> None:
        """Everything ends, whoever waits: the loads, the answers, the askers. No order is lucky."""
        for _ in range(10 * len(self.computer.loads) if hasattr(self, "computer") else 0):
            while self.computer.asked_to_leave:
                self.leave()
            for item in self.staged(Stage.LOADING):
                item.ready()
                self.uses.append(item)
            while self.uses:
                self.uses.pop().give_back()
            self.askers_go_on()
        if hasattr(self, "computer"):
            assert self.budget.waiting() == []


BudgetMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestBudget = BudgetMachine.TestCase


def budget_of(total: int) -> tuple[Computer, MemoryBudget]:
    computer = Computer(total)
    return computer, MemoryBudget(computer.free, grace_s=0)


def loaded(computer: Computer, budget: MemoryBudget, size: int) -> Holding:
    holding = budget.ask(computer.holding(budget, size))
    assert holding.stage is Stage.LOADING
    holding.ready()
    holding.give_back()
    return holding


def test_the_one_used_longest_ago_leaves_first() -> None:
    computer, budget = budget_of(10)
    first, second, third = (loaded(computer, budget, 3) for _ in range(3))
    assert first.take()
    first.give_back()
    asked = budget.ask(computer.holding(budget, 4))
    assert computer.asked_to_leave == [second]
    second.free()
    assert asked.stage is Stage.LOADING
    assert third.stage is Stage.READY


def test_a_model_in_use_takes_no_new_answers_while_others_wait_for_it() -> None:
    computer, budget = budget_of(10)
    used = loaded(computer, budget, 6)
    assert used.take()
    asked = budget.ask(computer.holding(budget, 6))
    assert asked.stage is Stage.WAITING
    assert not used.take()
    used.give_back()
    assert computer.asked_to_leave == [used]
    used.free()
    assert asked.stage is Stage.LOADING


def test_who_gives_up_waiting_changes_nothing() -> None:
    computer, budget = budget_of(10)
    used = loaded(computer, budget, 6)
    assert used.take()
    asked = budget.ask(computer.holding(budget, 6))
    asked.free()
    assert used.take()
    assert budget.waiting() == []


def test_only_what_cannot_fit_alone_is_refused_with_the_numbers() -> None:
    computer, budget = budget_of(5_000_000_000)
    loaded(computer, budget, 2_000_000_000)
    asked = budget.ask(computer.holding(budget, 5_200_000_000, advice="use a smaller model: 4.0 GB"))
    assert isinstance(asked.refused, ModelLoadFailed)
    assert str(asked.refused) == ("model 1 needs 5.2 GB of memory; 5.0 GB can be had. Use a smaller model: 4.0 GB.")
    with pytest.raises(ModelLoadFailed):
        asked.wait(0)


def test_two_that_are_wanted_together_and_do_not_fit_together_are_refused() -> None:
    computer, budget = budget_of(10)
    held = loaded(computer, budget, 6)
    assert held.take()
    asked = budget.ask(computer.holding(budget, 6, holds=[held]))
    assert asked.refused
    assert "together with model 0" in str(asked.refused)


def test_two_who_wait_for_each_other_do_not_wait_for_ever() -> None:
    computer, budget = budget_of(10)
    one, other = loaded(computer, budget, 5), loaded(computer, budget, 5)
    assert one.take()
    assert other.take()
    first = budget.ask(computer.holding(budget, 5, holds=[one]))
    second = budget.ask(computer.holding(budget, 5, holds=[other]))
    assert first.stage is Stage.WAITING
    assert second.refused
    other.give_back()
    assert computer.asked_to_leave == [other]


def test_a_limit_counts_what_models_hold_and_not_what_is_free() -> None:
    computer = Computer(100)
    budget = MemoryBudget(computer.free, lambda whole: Amount(min(10, whole.cpu), whole.gpu))
    loaded(computer, budget, 6)
    assert budget.room() == Amount(4)
    assert budget.ask(computer.holding(budget, 11)).refused


def test_an_idle_model_leaves_after_its_time_and_a_used_one_later() -> None:
    computer, budget = budget_of(10)
    left = threading.Event()
    idle = Holding(budget, "idle", Amount(1), left.set, keep_alive_s=0.05)
    used = budget.ask(computer.holding(budget, 1, keep_alive_s=0.05))
    used.ready()
    budget.ask(idle).ready()
    idle.give_back()
    assert left.wait(10)
    assert idle.stage is Stage.LEAVING
    assert used.stage is Stage.READY
    idle.free()
    budget.close()


def test_memory_that_others_free_is_seen() -> None:
    computer, budget = budget_of(10)
    used = loaded(computer, budget, 2)
    assert used.take()
    computer.total = 4
    asked = budget.ask(computer.holding(budget, 4))
    assert asked.stage is Stage.WAITING
    computer.total = 6
    assert not asked.wait(0)
    assert asked.wait(0)


def test_amounts_of_nothing_fit_even_where_there_is_less_than_nothing() -> None:
    assert NOTHING.fits(Amount(-5, -5))
    assert Amount(0, 1).fits(Amount(-5, 1))
    assert not Amount(1, 1).fits(Amount(1, 0))


def test_answers_of_one_burst_share_a_model_that_is_waited_for() -> None:
    computer = Computer(10)
    budget = MemoryBudget(computer.free, grace_s=60)
    used = loaded(computer, budget, 6)
    assert used.take()
    budget.ask(computer.holding(budget, 6))
    assert used.take()
    used.give_back()
    assert computer.asked_to_leave == []
    used.give_back()
    assert computer.asked_to_leave == [used]


def test_memory_granted_and_not_used_can_be_taken_back() -> None:
    computer, budget = budget_of(10)
    granted = budget.ask(computer.holding(budget, 6))
    asked = budget.ask(computer.holding(budget, 6))
    assert asked.stage is Stage.WAITING
    granted.give_back()
    assert computer.asked_to_leave == [granted]


def test_a_holding_grows_while_there_is_room_and_nobody_waits_for_it() -> None:
    computer = Computer(10)
    budget = MemoryBudget(computer.free, grace_s=0)
    held = budget.ask(computer.holding(budget, 4))
    held.ready()
    assert held.resize(Amount(9))
    assert not held.resize(Amount(11))
    assert (held.need, budget.room()) == (Amount(9), Amount(1))
    waiting = budget.ask(computer.holding(budget, 5))
    assert waiting.stage is Stage.WAITING
    assert not held.resize(Amount(10))  # it would take what another waits for
    assert held.resize(Amount(5))  # what it gives back goes to who waits
    assert waiting.stage is Stage.LOADING
