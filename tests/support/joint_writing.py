"""Models that write one answer together, and asking them to, for tests."""

import shutil
from pathlib import Path

from codette_desktop.application import Application
from codette_desktop.domain.answers import AnswerEnd, TextChunk
from codette_desktop.domain.joint import JointEnd, JointPart, JointRequest, JointToken
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import ChatRequest, Sampling
from tests.support.gguf_files import write_model
from tests.support.llama_server import STARTER
from tests.support.rotated_vocabulary import rotate_vocabulary

SMALL, MEDIUM = "guide-s-q8_0", "guide-m-q8_0"
QUESTIONS = (
    "Which is larger? A) 12 B) 21 C) 7 D) 9",
    "How do I export a chat?",
    "What is 48 + 57?",
    "Was ist größer, 3 oder 5? 日本語 🙂",
)
GREEDY = Sampling(temperature=0, max_tokens=64)
ENDLESS = Sampling(temperature=1.5, seed=1, max_tokens=900)


def write_models(folder: Path) -> None:
    """A twin of the starter model, one with its vocabulary in another order, and two that say random things."""
    folder.mkdir(parents=True)
    rotate_vocabulary(STARTER, folder / "rotated.gguf")
    shutil.copy(STARTER, folder / "twin.gguf")
    write_model(folder / "bytes.gguf", tokenizer="gpt2", seed=3)
    write_model(folder / "pieces.gguf", tokenizer="llama", seed=4)


def asked(question: str, *models: str, gated: bool = True, sampling: Sampling = GREEDY) -> JointRequest:
    requests = tuple(ChatRequest(model, (Message(Role.USER, question),), sampling) for model in models)
    return JointRequest(requests, (1 / len(models),) * len(models), gated)


async def joint(application: Application, request: JointRequest) -> tuple[list[JointPart], str, JointEnd]:
    parts = [part async for part in application.engine.write_together(request)]
    end = parts[-1]
    assert isinstance(end, JointEnd)
    return parts, "".join(part.text for part in parts if isinstance(part, JointToken)), end


async def alone(application: Application, question: str, model: str) -> tuple[str, AnswerEnd]:
    request = ChatRequest(model, (Message(Role.USER, question),), GREEDY)
    parts = [part async for part in application.engine.stream(request)]
    end = parts[-1]
    assert isinstance(end, AnswerEnd)
    return "".join(part.text for part in parts if isinstance(part, TextChunk)), end
