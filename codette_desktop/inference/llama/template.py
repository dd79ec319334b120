"""Chat templates: how a conversation is written for a model. Where the file brings none, a documented one is used."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Template

from codette_desktop.domain.errors import InvalidRequest, UnsupportedModel
from codette_desktop.domain.messages import Message, Role
from codette_desktop.inference.llama.sandbox import (
    MAX_SOURCE_CHARS,
    ChatEnvironment,
    Deadline,
    TemplateRefused,
    bounded_join,
)
from codette_desktop.inference.llama.vocabulary import Vocabulary

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"  # jinja2 drops a newline at the very end of a template
)
PLAIN = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] }}\n\n"
    "{% else %}{{ message['role'] | capitalize }}: {{ message['content'] }}\n{% endif %}{% endfor %}Assistant:"
)
PLAIN_STOPS = ("\nUser:",)
_CHATML_TOKENS = {"<|im_start|>", "<|im_end|>"}


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """The source of a template, the texts of the tokens it may write, and strings that end an answer under it."""

    source: str
    bos_token: str = ""
    eos_token: str = ""
    stops: tuple[str, ...] = ()

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "ChatTemplate":
        """The file's own template; without one ChatML, if the vocabulary has its tokens; else "User: / Assistant:"."""
        bos, eos = vocabulary.name(vocabulary.bos), vocabulary.name(vocabulary.eos)
        if source := vocabulary.chat_template:
            return cls(source, bos, eos)
        if vocabulary.control_names >= _CHATML_TOKENS:
            return cls(CHATML, bos, eos)
        return cls(PLAIN, bos, eos, PLAIN_STOPS)

    def render(self, messages: Sequence[Message]) -> str:
        """The conversation as the model reads it, up to where its answer begins.

        A template that refuses or ignores a system message gets it before the first message of the user. Raises
        InvalidRequest where the template refuses the conversation, UnsupportedModel where it cannot be run.
        """
        if not messages or messages[0].role is not Role.SYSTEM:
            return self._render(messages)
        system = messages[0].content.strip()
        try:
            text = self._render(messages)
            if not system or system in text:
                return text
        except InvalidRequest:
            pass
        return self._render(_merge_system(messages))

    def _render(self, messages: Sequence[Message]) -> str:
        values = [{"role": message.role.value, "content": message.content} for message in messages]
        try:
            with Deadline():
                template = _compile(self.source)
                parts = template.generate(
                    messages=values,
                    bos_token=self.bos_token,
                    eos_token=self.eos_token,
                    add_generation_prompt=True,
                    tools=None,
                    documents=None,
                )
                return bounded_join(parts)
        except TemplateRefused as refusal:
            raise InvalidRequest(
                f"This model's chat template does not accept the conversation: {refusal}",
                "Choose another model, or start a new conversation.",
            ) from None
        except Exception as error:  # whatever a stranger's template can do wrong
            reason = str(error) or type(error).__name__
            raise UnsupportedModel(f"The chat template of this model cannot be used: {reason}") from error


@lru_cache(maxsize=8)
def _compile(source: str) -> Template:
    if len(source) > MAX_SOURCE_CHARS:
        raise ValueError(f"it has {len(source):,} characters, more than {MAX_SOURCE_CHARS:,}")
    return ChatEnvironment().from_string(source)


def _merge_system(messages: Sequence[Message]) -> list[Message]:
    """The same conversation with the system message's text at the head of the first message of the user."""
    system, *rest = messages
    for index, message in enumerate(rest):
        if message.role is Role.USER:
            rest[index] = Message(Role.USER, f"{system.content}\n\n{message.content}")
            return rest
    return rest
