"""A conversation by its parts: system message, turns, question; and how much room is kept for the answer."""

from collections.abc import Sequence

from codette_desktop.domain.errors import InvalidRequest, PromptTooLong
from codette_desktop.domain.messages import Message, Role

DEFAULT_ROOM_TOKENS = 256


def parts(messages: Sequence[Message]) -> tuple[list[Message], list[Message], Message]:
    """System message (none or one), history, question. Raises InvalidRequest where there is no question."""
    if not messages or messages[-1].role is not Role.USER or not messages[-1].content.strip():
        raise InvalidRequest("There is no question.", "Write something first.")
    *before, question = messages
    system = [message for message in before if message.role is Role.SYSTEM and message.content.strip()]
    if len(system) > 1:
        system = [Message(Role.SYSTEM, "\n\n".join(message.content for message in system))]
    return system, [message for message in before if message.role is not Role.SYSTEM], question


def split_turns(history: Sequence[Message]) -> list[list[Message]]:
    """The history cut before each message of the user; an answer without a question is a turn of its own."""
    cut: list[list[Message]] = []
    for message in history:
        if message.role is Role.USER or not cut:
            cut.append([])
        cut[-1].append(message)
    return cut


def join(turns: Sequence[Sequence[Message]]) -> list[Message]:
    """The inverse of `split_turns`."""
    return [message for turn in turns for message in turn]


def too_long(prompt: int, length: int, room: int, system: bool, *, about: bool = False) -> PromptTooLong:
    """The error of a question that does not fit: all in tokens, `prompt` reckoned if `about`."""
    what = "The question and the system prompt take" if system else "The question takes"
    return PromptTooLong(
        f"{what} {'about ' if about else ''}{prompt:,} tokens. The context holds {length:,}, of which {room:,} are "
        "kept for the answer."
    )
