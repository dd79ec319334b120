"""Prompts: exact accounts, nothing left out in silence, and no control token that a person wrote."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.errors import InvalidRequest, PromptTooLong
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import ChatRequest, Sampling
from codette_desktop.inference.llama.prompt import PromptWriter
from codette_desktop.inference.llama.vocabulary import Vocabulary

SYSTEM = Message(Role.SYSTEM, "You explain the model.")
QUESTION = Message(Role.USER, "What is a token?")


def request(*messages: Message, **sampling: object) -> ChatRequest:
    return ChatRequest("tiny", messages, Sampling(**sampling))  # type: ignore[arg-type]


def turn(number: int) -> tuple[Message, Message]:
    return Message(Role.USER, f"question {number} about memory"), Message(Role.ASSISTANT, f"answer {number} is long")


def turns(count: int) -> list[Message]:
    return [message for number in range(count) for message in turn(number)]


def text_of(vocabulary: Vocabulary, tokens: np.ndarray) -> str:
    names = {
        token: vocabulary.name(token) for token in range(vocabulary.size) if vocabulary.name(token).startswith("<|")
    }
    pieces = [names[token].encode() if token in names else vocabulary.piece(token) for token in tokens.tolist()]
    return b"".join(pieces).decode()


def test_the_account_adds_up_to_the_tokens(vocabulary: Vocabulary) -> None:
    writer = PromptWriter(vocabulary)
    prompt = writer.write(request(SYSTEM, *turns(3), QUESTION), 1024)
    use = prompt.use
    assert use.prompt == len(prompt.tokens)
    assert use.left_out_messages == 0
    assert use.question == len(writer.write(request(QUESTION), 1024).tokens)
    assert use.history == len(writer.write(request(*turns(3), QUESTION), 1024).tokens) - use.question
    assert use.system > 0
    expected = "".join(f"<|im_start|>{m.role}\n{m.content}<|im_end|>\n" for m in (SYSTEM, *turns(3), QUESTION))
    assert text_of(vocabulary, prompt.tokens) == expected + "<|im_start|>assistant\n"


@given(count=st.integers(0, 40), length=st.integers(128, 1024), most=st.none() | st.integers(1, 600))
def test_whole_turns_are_left_out_oldest_first_and_no_more_than_needed(
    vocabulary: Vocabulary, count: int, length: int, most: int | None
) -> None:
    writer = PromptWriter(vocabulary)
    prompt = writer.write(request(SYSTEM, *turns(count), QUESTION, max_tokens=most), length)
    room = min(most or 256, length // 4)
    assert prompt.use.prompt == len(prompt.tokens) <= length - room
    left_out = prompt.use.left_out_messages
    assert left_out % 2 == 0
    text = text_of(vocabulary, prompt.tokens)
    assert SYSTEM.content in text
    assert QUESTION.content in text
    for number in range(count):
        assert (f"question {number} " in text) == (number >= left_out // 2)
    if left_out:
        kept = [SYSTEM, *turns(count)[left_out - 2 :], QUESTION]
        assert len(writer.write(request(*kept, max_tokens=most), 100_000).tokens) > length - room


def test_a_question_too_long_is_refused_with_the_numbers(vocabulary: Vocabulary) -> None:
    with pytest.raises(PromptTooLong, match=r"takes 1,\d\d\d tokens. The context holds 512, of which 128") as caught:
        PromptWriter(vocabulary).write(request(*turns(2), Message(Role.USER, "z " * 500)), 512)
    assert "longer context" in caught.value.hint


@pytest.mark.parametrize("messages", [(), (SYSTEM,), (QUESTION, turn(1)[1]), (Message(Role.USER, " \n"),)])
def test_without_a_question_there_is_no_prompt(vocabulary: Vocabulary, messages: tuple[Message, ...]) -> None:
    with pytest.raises(InvalidRequest, match="no question"):
        PromptWriter(vocabulary).write(request(*messages), 512)


@given(
    content=st.lists(
        st.sampled_from(
            ["<|im_end|>", "<|im_start|>", "<|endoftext|>", "<|im_", "end|>", "system\n", "x", " ", "\ue000"]
        ),
        min_size=1,
        max_size=8,
    ).map("".join)
)
def test_what_a_person_writes_never_becomes_a_control_token(vocabulary: Vocabulary, content: str) -> None:
    harmless = PromptWriter(vocabulary).write(request(SYSTEM, QUESTION), 1024).tokens
    written = replace(QUESTION, content=f"?{content}")
    hostile = PromptWriter(vocabulary).write(request(SYSTEM, written), 1024).tokens
    control = [token for token in range(vocabulary.size) if vocabulary.name(token) in vocabulary.control_names]
    assert [t for t in hostile.tolist() if t in control] == [t for t in harmless.tolist() if t in control]
    assert written.content in text_of(vocabulary, hostile)


def test_a_first_token_is_added_once_where_the_tokenizer_asks_for_it(llama_vocabulary: Vocabulary) -> None:
    tokens = PromptWriter(llama_vocabulary).write(request(QUESTION), 512).tokens.tolist()
    assert tokens[0] == llama_vocabulary.bos
    assert tokens.count(llama_vocabulary.bos) == 1
    hostile = PromptWriter(llama_vocabulary).write(request(Message(Role.USER, "<s></s><unk>")), 512).tokens.tolist()
    assert hostile.count(llama_vocabulary.bos) == 1
    assert llama_vocabulary.eos not in hostile or llama_vocabulary.name(llama_vocabulary.eos) == "<|im_end|>"


def test_lone_surrogates_and_zeros_do_no_harm(vocabulary: Vocabulary) -> None:
    prompt = PromptWriter(vocabulary).write(request(Message(Role.USER, "a\x00b\ud800c")), 512)
    assert "a\x00b?c" in text_of(vocabulary, prompt.tokens)
