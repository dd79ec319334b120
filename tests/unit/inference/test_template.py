"""How a conversation is written for a model."""

# ruff: noqa: E501 - templates are easier to read on one line
import pytest

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.messages import Message, Role
from codette_desktop.inference.llama.template import CHATML, PLAIN, PLAIN_STOPS, ChatTemplate
from codette_desktop.inference.llama.vocabulary import Vocabulary

SYSTEM = Message(Role.SYSTEM, "Be brief.")
QUESTION = Message(Role.USER, "Why?")
TALK = [SYSTEM, Message(Role.USER, "Hi"), Message(Role.ASSISTANT, "Hello."), QUESTION]

# Gemma's template, shortened: no system role, roles must alternate.
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)


def test_the_fallback_is_chatml_only_where_its_tokens_exist(
    vocabulary: Vocabulary, llama_vocabulary: Vocabulary
) -> None:
    class Bare:
        """A vocabulary whose file brings no template."""

        chat_template = None
        bos = eos = -1

        def __init__(self, names: frozenset[str]) -> None:
            self.control_names = names

        def name(self, _token: int) -> str:
            return ""

    assert ChatTemplate.of(Bare(vocabulary.control_names)).source == CHATML  # type: ignore[arg-type]
    plain = ChatTemplate.of(Bare(frozenset({"<s>"})))  # type: ignore[arg-type]
    assert (plain.source, plain.stops) == (PLAIN, PLAIN_STOPS)
    assert ChatTemplate.of(llama_vocabulary).bos_token == "<s>"


def test_chatml_and_plain_write_the_whole_conversation() -> None:
    assert ChatTemplate(CHATML).render(TALK) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert ChatTemplate(PLAIN).render(TALK) == "Be brief.\n\nUser: Hi\nAssistant: Hello.\nUser: Why?\nAssistant:"


def test_a_system_message_that_is_refused_goes_before_the_first_question() -> None:
    text = ChatTemplate(GEMMA, bos_token="<bos>").render(TALK)
    assert text.startswith("<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello.")


def test_a_system_message_that_is_ignored_goes_before_the_first_question() -> None:
    deaf = "{% for m in messages if m['role'] != 'system' %}[{{ m['role'] }}] {{ m['content'] }}\n{% endfor %}"
    assert ChatTemplate(deaf).render([SYSTEM, QUESTION]) == "[user] Be brief.\n\nWhy?\n"


def test_a_conversation_the_template_refuses_is_told_in_its_words() -> None:
    with pytest.raises(InvalidRequest, match="must alternate"):
        ChatTemplate(GEMMA).render([QUESTION, QUESTION])
