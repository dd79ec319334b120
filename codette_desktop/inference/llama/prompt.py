"""From a request to the tokens of its prompt, and the account of how they fill the context."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from codette_desktop.domain.answers import ContextUse
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.messages import Message
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.llama.template import ChatTemplate
from codette_desktop.inference.llama.vocabulary import Tokens, Vocabulary
from codette_desktop.inference.turns import DEFAULT_ROOM_TOKENS, join, parts, split_turns, too_long

_PRIVATE_USE = range(0xE000, 0xF8FF)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The tokens to decode, and their account. `stops` are strings that end the answer besides those of the request."""

    tokens: Tokens
    use: ContextUse
    stops: tuple[str, ...] = ()


class PromptWriter:
    """Writes prompts for one vocabulary. May be used from any thread."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._template = ChatTemplate.of(vocabulary)
        self._count = lru_cache(maxsize=4096)(self._count_once)

    def write(self, request: ChatRequest, context_length: int) -> Prompt:
        """The prompt with as much of the history as fits.

        Room for the answer is kept: `max_tokens` or 256, but at most a quarter of the context. Whole turns are left
        out, oldest first; never the system message and never the question. Raises PromptTooLong where these do not
        fit, InvalidRequest and UnsupportedModel as `ChatTemplate.render` does.
        """
        system, history, question = parts(request.messages)
        room = min(request.sampling.max_tokens or DEFAULT_ROOM_TOKENS, max(1, context_length // 4))
        most = context_length - room
        turns = split_turns(history)
        left_out = self._guess(system, turns, question, most)
        tokens = self._tokens([*system, *join(turns[left_out:]), question])
        while len(tokens) > most and left_out < len(turns):
            left_out += 1
            tokens = self._tokens([*system, *join(turns[left_out:]), question])
        while left_out and len(more := self._tokens([*system, *join(turns[left_out - 1 :]), question])) <= most:
            left_out, tokens = left_out - 1, more
        if len(tokens) > most:
            raise too_long(len(tokens), context_length, room, bool(system))
        use = self._account(system, turns[left_out:], question, len(tokens), context_length)
        dropped = sum(len(turn) for turn in turns[:left_out])
        return Prompt(tokens, replace(use, left_out_messages=dropped), self._template.stops)

    def _count_once(self, text: str) -> int:
        return len(self._vocabulary.tokenise(text, special=False))

    def _guess(self, system: list[Message], turns: list[list[Message]], question: Message, most: int) -> int:
        """How many turns must probably go, by the lengths of their texts alone (without the template's markup)."""
        total = sum(self._count(message.content) for message in (*system, question))
        for index in range(len(turns) - 1, -1, -1):
            total += sum(self._count(message.content) for message in turns[index])
            if total > most:
                return index + 1
        return 0

    def _account(
        self, system: list[Message], turns: list[list[Message]], question: Message, total: int, length: int
    ) -> ContextUse:
        """`total` by part: each part counts what the prompt grows by because of it."""
        without_system = len(self._tokens([*join(turns), question])) if system else total
        alone = len(self._tokens([question])) if turns else without_system
        history = max(0, without_system - alone)
        system_tokens = min(max(0, total - without_system), total - history)
        return ContextUse(length, system_tokens, history, total - history - system_tokens)

    def _tokens(self, messages: Sequence[Message]) -> Tokens:
        """The tokens of the rendered conversation. What people wrote never becomes a control token."""
        guard = _Guard(self._vocabulary, messages, self._template.source)
        text = self._template.render([Message(item.role, guard.hide(item.content)) for item in messages])
        pieces = [self._vocabulary.tokenise(part, special=special) for part, special in guard.split(text)]
        tokens = np.concatenate(pieces) if pieces else np.empty(0, np.int32)
        bos = self._vocabulary.bos
        if self._vocabulary.adds_bos and bos >= 0 and (not len(tokens) or tokens[0] != bos):
            tokens = np.concatenate([np.array([bos], np.int32), tokens])
        if not len(tokens):
            raise InvalidRequest("The model's chat template leaves nothing of this message.")
        return tokens


class _Guard:
    """Hides texts like "<|im_end|>" in messages from the tokenizer, which would take them for control tokens.

    Each is replaced by a private-use character while the template runs (which may trim, split or rearrange), and read
    as plain text afterwards. Everything else is tokenised together with the template's own text, as in training.
    """

    def __init__(self, vocabulary: Vocabulary, messages: Sequence[Message], source: str) -> None:
        written = "\n".join(message.content for message in messages)
        found = vocabulary.control_names_in(written)
        free = (chr(code) for code in _PRIVATE_USE if chr(code) not in written and chr(code) not in source)
        self._marks = dict(zip(found, free, strict=False))
        if len(self._marks) < len(found):
            raise InvalidRequest("The conversation uses every private-use character of Unicode.")
        self._names = {mark: name for name, mark in self._marks.items()}

    def hide(self, text: str) -> str:
        for name, mark in self._marks.items():
            text = text.replace(name, mark)
        return text

    def split(self, text: str) -> list[tuple[str, bool]]:
        """Parts of the rendered text, each with whether names of control tokens in it are control tokens."""
        parts: list[tuple[str, bool]] = []
        start = 0
        if self._names:
            for index, character in enumerate(text):
                if name := self._names.get(character):
                    parts += [(text[start:index], True), (name, False)]
                    start = index + 1
        return [*parts, (text[start:], True)]
