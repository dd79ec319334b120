"""Roles: who a model is asked to be."""

from dataclasses import dataclass

from codette_desktop.domain.requests import Sampling


@dataclass(frozen=True, slots=True)
class Role:
    """A persona: a system prompt with a name, wherever it came from (shipped, or the configuration file).

    `name` is what one types ("security-architect"), `title` what one reads. `model` is the model it is asked with
    ("": whichever is chosen), `sampling` its parameters (None: those of the chat).
    """

    name: str
    title: str
    prompt: str
    description: str = ""
    model: str = ""
    sampling: Sampling | None = None
