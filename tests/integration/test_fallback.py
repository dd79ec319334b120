"""Always an answer: a server that fails before or in mid-answer, and the model here that takes its place."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from codette_desktop.application import FALLBACK_SETTING, Application
from codette_desktop.domain.answers import AnswerEnd, FinishReason, SwitchedModel, TextChunk
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.errors import ServerError
from codette_desktop.domain.events import HealthChanged, ProviderFailed
from codette_desktop.domain.messages import Role
from codette_desktop.domain.models import AUTO
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.domain.tasks import TaskType
from codette_desktop.inference.chat import ChatPart
from codette_desktop.inference.isolation.process import WorkerDied
from codette_desktop.inference.isolation.provider import IsolatedProvider
from codette_desktop.inference.routing.health import HealthState
from codette_desktop.inference.routing.learning import Learner
from tests.support.fault_proxy import Fault, FaultProxy, spoiled
from tests.support.gguf_files import write_model
from tests.support.http_server import serve
from tests.support.llama_server import llama_server
from tests.support.ollama_replay import OllamaReplay

QUESTION = "How do I compare two models?"
GREEDY = Sampling(temperature=0.0, max_tokens=60)
FAILING = (Fault.CUT, Fault.RESET, Fault.ERROR_LINE, Fault.STATUS_500, Fault.GARBAGE)


@pytest.fixture(scope="module")
def llama_address() -> Iterator[str]:
    with llama_server() as address:
        yield address


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


@pytest.fixture(params=[ServerKind.OPENAI, ServerKind.OLLAMA])
async def proxy(
    request: pytest.FixtureRequest, application: Application, llama_address: str
) -> AsyncIterator[FaultProxy]:
    """Between the application and a real llama.cpp server, or a recorded Ollama; its model is `shaky/...`."""
    async with serve(OllamaReplay()) as replay:
        upstream = llama_address if request.param is ServerKind.OPENAI else replay.url
        async with spoiled(upstream) as (found, served):
            await application.servers.add(Server.checked("shaky", served.url, request.param))
            await application.servers.refresh()
            yield found


def server_model(application: Application) -> str:
    return next(model.name for model in application.servers.models() if model.name.endswith(("tiny:latest", ".gguf")))


async def ask(application: Application, model: str, text: str = QUESTION) -> list[ChatPart]:
    conversation = await asyncio.wrap_future(application.store.conversations.create(model=model, sampling=GREEDY))
    return [part async for part in application.chat.send(conversation.id, text)]


def answer_of(parts: list[ChatPart]) -> Node:
    node = parts[-1]
    assert isinstance(node, Node)
    assert node.generation is not None
    return node


@pytest.mark.parametrize("fault", FAILING)
async def test_another_model_answers_in_place_of_a_server_that_fails(
    application: Application, proxy: FaultProxy, fault: Fault
) -> None:
    proxy.fault = fault
    model = server_model(application)
    parts = await ask(application, model)
    answer = answer_of(parts)
    [switch] = [part for part in parts if isinstance(part, SwitchedModel)]
    assert (switch.failed, switch.model) == (model, application.library.default().name)
    assert isinstance(switch.error, ServerError)
    after = parts[parts.index(switch) :]
    assert answer.message.content == "".join(part.text for part in after if isinstance(part, TextChunk))
    assert answer.generation is not None
    assert answer.generation.reason in (FinishReason.STOP, FinishReason.LENGTH)
    assert answer.generation.model == switch.model
    assert answer.generation.model_hash == application.catalogue.find_known_model(switch.model).file_hash
    assert answer.generation.quantisation == "Q8_0"
    assert switch.error.message in answer.generation.note
    assert "answered instead" in answer.generation.note
    branch = application.store.conversations.branch(answer.conversation_id)
    assert [node.message.role for node in branch] == [Role.USER, Role.ASSISTANT]
    assert len(branch[-1].sibling_ids) == 1


@pytest.mark.parametrize("fault", [Fault.NONE, Fault.DELAY, Fault.DRIP, Fault.DUPLICATE])
async def test_a_server_that_is_only_slow_or_odd_answers_itself(
    application: Application, proxy: FaultProxy, fault: Fault
) -> None:
    proxy.fault = fault
    model = server_model(application)
    parts = await ask(application, model)
    assert not [part for part in parts if isinstance(part, SwitchedModel)]
    generation = answer_of(parts).generation
    assert generation is not None
    assert generation.model == model
    assert "instead" not in generation.note


async def test_who_wants_no_other_model_gets_the_error(application: Application, proxy: FaultProxy) -> None:
    application.store.settings.set(FALLBACK_SETTING, False).result()
    proxy.fault = Fault.STATUS_500
    with pytest.raises(ServerError):
        await ask(application, server_model(application))


async def test_a_closed_answer_asks_nobody_else(application: Application, proxy: FaultProxy) -> None:
    model = server_model(application)
    conversation = await asyncio.wrap_future(application.store.conversations.create(model=model, sampling=GREEDY))
    parts: list[ChatPart] = []
    stream = application.chat.send(conversation.id, QUESTION)
    async for part in stream:
        parts.append(part)
        if isinstance(part, TextChunk):
            break
    await stream.aclose()
    branch = application.store.conversations.branch(conversation.id)
    assert branch[-1].generation is not None
    assert branch[-1].generation.reason is FinishReason.CANCELLED
    assert branch[-1].generation.model == model


async def test_what_failed_is_learned_and_its_health_told_and_its_recovery_noticed(
    application: Application, proxy: FaultProxy
) -> None:
    heard: list[HealthChanged] = []
    failures: list[ProviderFailed] = []
    application.bus.subscribe(HealthChanged, heard.append)
    application.bus.subscribe(ProviderFailed, failures.append)
    proxy.fault = Fault.STATUS_500
    model = server_model(application)
    for _ in range(2):
        await ask(application, model)
    assert [event.model for event in failures] == [model, model]
    assert application.health.of(model).state is HealthState.UNHEALTHY
    proxy.fault = Fault.NONE
    await application.health.check([model])
    assert application.health.of(model).state is HealthState.DEGRADED
    answered = answer_of(await ask(application, model)).generation
    assert answered is not None
    assert answered.model == model
    assert [event.state for event in heard if event.model == model] == ["unhealthy", "degraded"]
    profiles = application.store.profiles.all()
    assert profiles[model, ""].requests == 3
    assert profiles[model, ""].failures > 1
    assert profiles[model, ""].successes >= 1


async def test_auto_asks_the_server_only_while_it_is_well(application: Application, proxy: FaultProxy) -> None:
    model = server_model(application)
    question = "Write a Python function that parses a date."
    for _ in range(20):  # the person has liked its answers
        Learner(application.store.profiles).voted(model, TaskType.CODING, 10).result()
    first = answer_of(await ask(application, AUTO, question)).generation
    assert first is not None
    assert first.model == model
    proxy.fault = Fault.STATUS_500
    for _ in range(2):
        await ask(application, AUTO, question)
    proxy.spoiled = 0
    parts = await ask(application, AUTO, question)
    generation = answer_of(parts).generation
    assert generation is not None
    assert generation.model != model
    assert not proxy.spoiled
    assert not [part for part in parts if isinstance(part, SwitchedModel)]
    end = next(part for part in parts if isinstance(part, AnswerEnd))
    assert not end.note


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows ends processes in other ways")
@pytest.mark.parametrize("number", ["SIGKILL", "SIGSEGV"])
async def test_another_model_answers_where_the_process_of_one_dies_in_mid_answer(
    application: Application, number: str
) -> None:
    tiny = application.data_dir / "models" / "tiny.gguf"
    tiny.parent.mkdir()
    write_model(tiny, name="Tiny Test")
    await asyncio.wrap_future(application.keep_apart(application.catalogue.find_file("tiny"), True))
    apart = application.engine._apart
    assert isinstance(apart, IsolatedProvider)
    endless = Sampling(temperature=0.0, max_tokens=400, grammar='root ::= "a" root')
    conversation = await asyncio.wrap_future(application.store.conversations.create(model="tiny", sampling=endless))
    parts: list[ChatPart] = []
    killed = False
    async for part in application.chat.send(conversation.id, QUESTION):
        parts.append(part)
        if isinstance(part, TextChunk) and not killed:
            killed = True
            os.kill(apart.processes()[str(tiny)], getattr(signal, number))
    [switch] = [part for part in parts if isinstance(part, SwitchedModel)]
    assert switch.failed == "tiny"
    assert isinstance(switch.error, WorkerDied)
    generation = answer_of(parts).generation
    assert generation is not None
    assert generation.model == switch.model
    assert "Tiny Test" in generation.note
    assert len(application.store.conversations.branch(conversation.id)[-1].sibling_ids) == 1
