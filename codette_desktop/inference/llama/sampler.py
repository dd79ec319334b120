"""Choosing the next token: by argmax where nothing else is asked for, else by the library's samplers."""

import ctypes
import secrets
import time
from typing import Any

import numpy as np

from codette_desktop.domain.errors import EngineFailure, InvalidRequest
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.llama.context import Context, Logits
from codette_desktop.inference.llama.grammar import grammar_of
from codette_desktop.inference.llama.library import library
from codette_desktop.inference.llama.vocabulary import Tokens, Vocabulary

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
_SLOWEST_GRAMMAR_S = 2.0  # of processor time for one token; an ambiguous grammar takes longer with each
_MAX_SEED = 2**32 - 2  # 2**32 - 1 means "random" to the library


class Sampler:
    """Picks tokens for one answer. Equal parameters, seed and logits give equal tokens.

    The order is top-k, penalties, top-p, min-p, temperature, draw. A grammar stands apart: a token is drawn without it
    and drawn again among the allowed ones only where the grammar forbids it, since asking it about a whole vocabulary
    costs more than the model.
    """

    def __init__(self, sampling: Sampling, vocabulary: Vocabulary) -> None:
        self.seed = secrets.randbelow(_MAX_SEED) if sampling.seed is None else sampling.seed
        self._c = library().c
        self._vocabulary = vocabulary
        self._greedy = sampling.temperature == 0
        self._penalised = sampling.penalty_window > 0 and (
            sampling.repeat_penalty != 1 or sampling.frequency_penalty != 0 or sampling.presence_penalty != 0
        )
        self._window = sampling.penalty_window
        grammar = grammar_of(sampling)
        self._grammar: Any = self._make_grammar(grammar) if grammar else None
        self._plain = self._greedy and not self._penalised and not grammar
        self._chain: Any = None if self._plain else self._make_chain(sampling)

    def see(self, prompt: Tokens) -> None:
        """Let the penalties know the end of the prompt."""
        if self._penalised and self._chain:
            for token in prompt[-self._window :].tolist():
                self._c.llama_sampler_accept(self._chain, token)

    def next(self, context: Context, row: int = -1) -> int:
        """The next token after a row of what `context` decoded last (-1: its last)."""
        if self._plain:
            return int(context.logits(row).argmax())
        if self._grammar is None:
            return self._c.llama_sampler_sample(self._chain, context.handle, row)
        return self._next_allowed(context.logits(row))

    def close(self) -> None:
        """Free the samplers. May be called twice."""
        for sampler in (self._chain, self._grammar):
            if sampler:
                self._c.llama_sampler_free(sampler)
        self._chain = self._grammar = None

    def _make_chain(self, sampling: Sampling) -> Any:
        c = self._c
        params = c.llama_sampler_chain_default_params()
        params.no_perf = True
        chain = c.llama_sampler_chain_init(params)
        penalties = _penalties(c, sampling, self._vocabulary) if self._penalised else None
        if self._greedy:
            steps = [penalties, c.llama_sampler_init_greedy()]
        else:
            steps = [
                c.llama_sampler_init_top_k(sampling.top_k) if sampling.top_k > 0 else None,
                penalties,
                c.llama_sampler_init_top_p(sampling.top_p, 1) if sampling.top_p < 1 else None,
                c.llama_sampler_init_min_p(sampling.min_p, 1) if sampling.min_p > 0 else None,
                c.llama_sampler_init_temp(sampling.temperature),
                c.llama_sampler_init_dist(self.seed),
            ]
        for step in filter(None, steps):
            c.llama_sampler_chain_add(chain, step)
        return chain

    def _make_grammar(self, grammar: str) -> Any:
        engine = library()
        engine.messages.clear()
        text = grammar.encode("utf-8", "replace")
        made = self._c.llama_sampler_init_grammar(self._vocabulary.handle, text, b"root") if b"\0" not in text else None
        if not made:
            reason = engine.last_messages or "no rule named root, or a mistake in its syntax"
            raise InvalidRequest(f"The grammar cannot be used: {reason}", "See the GBNF guide of llama.cpp.")
        return made

    def _next_allowed(self, logits: Logits) -> int:
        began = time.thread_time()
        token = self._draw(_candidates(logits))
        single = _candidates(logits, token)
        self._apply(self._grammar, single)
        if not np.isfinite(single["logit"][0]):
            allowed = _candidates(logits)
            self._apply(self._grammar, allowed)
            allowed = np.ascontiguousarray(allowed[np.isfinite(allowed["logit"])])
            if not len(allowed):
                return self._end()
            token = self._draw(allowed)
        self._c.llama_sampler_accept(self._chain, token)
        self._c.llama_sampler_accept(self._grammar, token)
        if time.thread_time() - began > _SLOWEST_GRAMMAR_S:
            raise InvalidRequest("The grammar can be followed in too many ways at once.", "Make it less ambiguous.")
        return token

    def _end(self) -> int:
        """The token that ends an answer."""
        if self._vocabulary.eos < 0:
            raise EngineFailure("The grammar allows nothing more, and the model has no token that ends an answer.")
        return self._vocabulary.eos

    def _draw(self, candidates: np.ndarray[Any, Any]) -> int:
        array = self._apply(self._chain, candidates)
        return array.data[array.selected].id

    def _apply(self, sampler: Any, candidates: np.ndarray[Any, Any]) -> Any:
        c = self._c
        pointer = candidates.ctypes.data_as(c.llama_token_data_p)
        array = c.llama_token_data_array(pointer, len(candidates), -1, False)
        c.llama_sampler_apply(sampler, ctypes.byref(array))
        return array


def _penalties(c: Any, sampling: Sampling, vocabulary: Vocabulary) -> Any:
    return c.llama_sampler_init_penalties(
        vocabulary.size,
        sampling.penalty_window,
        sampling.repeat_penalty,
        sampling.frequency_penalty,
        sampling.presence_penalty,
    )


def _candidates(logits: Logits, token: int | None = None) -> np.ndarray[Any, Any]:
    """The library's array of candidates: all tokens, or one."""
    chosen = np.empty(len(logits) if token is None else 1, _CANDIDATE)
    chosen["id"] = np.arange(len(logits), dtype=np.int32) if token is None else token
    chosen["logit"] = logits if token is None else logits[token]
    chosen["p"] = 0
    return chosen
