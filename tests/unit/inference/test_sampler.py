"""The next token: against numpy where the rule is simple, by its properties where chance has a part."""

import copy
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from codette_desktop.domain.errors import EngineFailure, InvalidRequest
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.llama.context import Context, Feed
from codette_desktop.inference.llama.sampler import Sampler

PROMPT = "what is the time of day"


@pytest.fixture
def ready(context: Context) -> Context:
    context.decode([Feed(0, context.model.vocabulary.tokenise(PROMPT, special=False))])
    return context


def draw(context: Context, count: int, *, see: bool = False, **changes: Any) -> list[int]:
    """`count` tokens after the prompt."""
    with closing(Sampler(Sampling(**changes), context.model.vocabulary)) as sampler:
        if see:
            sampler.see(np.array(context.tokens[0], np.int32))
        tokens = []
        for _ in range(count):
            tokens.append(sampler.next(context))
            context.decode_one(0, tokens[-1])
    return tokens


def one(context: Context, **changes: Any) -> int:
    with closing(Sampler(Sampling(**changes), context.model.vocabulary)) as sampler:
        return sampler.next(context)


def test_temperature_zero_takes_the_most_probable(ready: Context) -> None:
    assert one(ready, temperature=0) == int(np.argmax(ready.logits()))


def test_top_k_one_is_greedy_at_any_temperature(ready: Context) -> None:
    best = int(np.argmax(ready.logits()))
    assert all(one(ready, temperature=5, top_k=1, seed=seed) == best for seed in range(20))


def test_top_k_top_p_and_min_p_draw_only_from_their_sets(ready: Context) -> None:
    logits = ready.logits().astype(np.float64).copy()
    p = np.exp(logits - logits.max())
    p /= p.sum()
    order = np.argsort(-p)
    assert {one(ready, temperature=3, top_k=7, top_p=1, min_p=0, seed=s) for s in range(200)} <= set(order[:7].tolist())
    nucleus = order[: int(np.searchsorted(np.cumsum(p[order]), 0.3)) + 1]
    assert {one(ready, temperature=3, top_k=0, top_p=0.3, min_p=0, seed=s) for s in range(200)} <= set(nucleus.tolist())
    likely = np.flatnonzero(p >= 0.5 * p.max())
    assert {one(ready, temperature=3, top_k=0, top_p=1, min_p=0.5, seed=s) for s in range(200)} <= set(likely.tolist())


def test_a_repeat_penalty_without_top_k_moves_the_greedy_choice_to_the_runner_up(ready: Context) -> None:
    logits = ready.logits().copy()
    best, second = np.argsort(-logits)[:2].tolist()
    ready.decode_one(0, best)
    ready.truncate(0, len(ready.tokens[0]) - 1)
    ready.decode_one(0, ready.model.vocabulary.tokenise(PROMPT, special=False)[-1])
    with closing(Sampler(Sampling(temperature=0, repeat_penalty=5), ready.model.vocabulary)) as sampler:
        after = ready.logits().copy()
        top = int(np.argmax(after))
        sampler.see(np.array([top], np.int32))
        penalised = after.copy()
        penalised[top] = after[top] / 5 if after[top] > 0 else after[top] * 5
        assert sampler.next(ready) == int(np.argmax(penalised)) != top
    assert second != best


def test_penalties_cover_prompt_and_answer(ready: Context) -> None:
    cases: list[dict[str, Any]] = [{"temperature": 0.0}, {"top_k": 0, "seed": 1}, {"seed": 1}]
    for changes in cases:
        tokens = draw(ready, 40, see=True, presence_penalty=2, frequency_penalty=2, repeat_penalty=5, **changes)
        free = draw(ready, 40, **changes)
        assert len(set(tokens)) > len(set(free)) or len(set(tokens)) == 40


def test_equal_seeds_give_equal_tokens_and_fresh_ones_differ(tiny: Any) -> None:
    from codette_desktop.domain.models import EngineSettings

    def run(**changes: Any) -> list[int]:
        with closing(Context(tiny, EngineSettings(threads=1), 512)) as context:
            context.decode([Feed(0, tiny.vocabulary.tokenise(PROMPT, special=False))])
            return draw(context, 30, temperature=1.5, **changes)

    assert run(seed=7) == run(seed=7) != run(seed=8)
    with closing(Sampler(Sampling(), tiny.vocabulary)) as a, closing(Sampler(Sampling(), tiny.vocabulary)) as b:
        assert a.seed != b.seed
        assert run(seed=a.seed) == run(seed=a.seed)


def test_a_grammar_leaves_only_what_it_allows(ready: Context) -> None:
    vocabulary = ready.model.vocabulary
    cases: list[dict[str, Any]] = [
        {"temperature": 0.0},
        {"temperature": 2.0, "seed": 4},
        {"temperature": 2.0, "seed": 4, "top_k": 3},
    ]
    for changes in cases:
        tokens = draw(ready, 9, grammar='root ::= "yes" | "no, " [0-9]{3}', **changes)
        end = next(i for i, token in enumerate(tokens) if token in vocabulary.end_tokens)
        answer = b"".join(map(vocabulary.piece, tokens[:end])).decode()
        assert answer == "yes" or (answer.startswith("no, ") and answer[4:].isdigit() and len(answer) == 7)


def test_where_nothing_can_follow_and_no_token_ends_an_answer_it_is_told(ready: Context) -> None:
    nothing = "root ::= [^\\x00-\\UFFFFFFFF]"
    assert one(ready, grammar=nothing) == ready.model.vocabulary.eos
    endless = copy.copy(ready.model.vocabulary)
    endless.eos = -1
    with (
        closing(Sampler(Sampling(grammar=nothing), endless)) as sampler,
        pytest.raises(EngineFailure, match="no token that ends"),
    ):
        sampler.next(ready)


def test_a_grammar_that_grows_with_every_token_is_given_up(ready: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codette_desktop.inference.llama.sampler._SLOWEST_GRAMMAR_S", 0.02)
    with pytest.raises(InvalidRequest, match="too many ways"):
        draw(ready, 40, temperature=0, grammar='root ::= "a" root "b" | "a" root "c" | "d"\n')


@pytest.mark.parametrize(
    "grammar",
    ["", "nonsense", 'root ::= "a', "root ::= missing", 'other ::= "a"', "root ::= root", 'root ::= "a"\x00'],
)
def test_a_bad_grammar_is_refused_in_words(ready: Context, grammar: str) -> None:
    if not grammar:
        assert one(ready, grammar=grammar) >= 0
        return
    with pytest.raises(InvalidRequest, match="grammar cannot be used"):
        one(ready, grammar=grammar)
