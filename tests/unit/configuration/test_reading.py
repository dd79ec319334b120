"""The configuration file: what it says, and every mistake with its line."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codette_desktop.configuration.document import parse
from codette_desktop.configuration.problems import Problem, parse_path, path_text
from codette_desktop.configuration.reading import Reading, read
from codette_desktop.configuration.schema import Gpu
from codette_desktop.domain.errors import CodetteError, ModelNotFound
from codette_desktop.domain.models import FlashAttention
from codette_desktop.domain.tasks import TaskType

HERE = Path(__file__).parent
GOOD = """
models:
  writer:
    model: ${MODEL:-guide-m-q8_0}
    priority: 0x10
    gpu: off
    engine: {context_length: 512, flash_attention: on}
    sampling: {temperature: 0, stop: [END]}
  quick:
servers:
  Workshop: {url: "127.0.0.1:11434", kind: ollama, token_env: TOKEN}
roles:
  poet: {prompt: "Costs $${5} in ${CITY}."}
tasks:
  coding: {models: [writer, quick]}
fallbacks:
  default: [quick]
routing: {local_only: true, remote: false}
"""


def reading(text: str, **environment: str) -> Reading:
    return read(text, environment, HERE)


def told(text: str) -> list[str]:
    return [str(problem) for problem in reading(text).problems]


def test_a_file_says_what_it_means() -> None:
    found = reading(GOOD, CITY="Oslo")
    assert found.problems == ()
    settings = found.settings
    writer = settings.models["writer"]
    assert (writer.model, writer.priority, writer.gpu) == ("guide-m-q8_0", 16, Gpu.OFF)
    assert writer.engine == {"context_length": 512, "flash_attention": FlashAttention.ON}
    assert writer.sampling == {"temperature": 0.0, "stop": ("END",)}
    assert settings.models["quick"].model == "quick"
    assert settings.servers["Workshop"].url == "http://127.0.0.1:11434"
    assert settings.roles["poet"].prompt == "Costs ${5} in Oslo."
    assert settings.tasks[TaskType.CODING].models == ("writer", "quick")
    assert settings.fallbacks == {"default": ("quick",)}
    assert (settings.local_only, settings.fallback, settings.remote) == (True, None, False)
    assert settings.lines["models", "writer", "priority"] == 5


def test_a_number_may_come_from_a_variable() -> None:
    found = reading("models: {a: {priority: '${P}'}, b: {priority: 3}}", P="7")
    assert found.settings.models["a"].priority == 7
    found = reading("models:\n  a:\n    priority: ${P}\n", P="7")
    assert found.settings.models["a"].priority == 7


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("models:\n  a:\n    prioriy: 1\n", "line 3: models.a.prioriy is not known here. Did you mean priority?"),
        ("models:\n  a:\n    priority: high\n", "line 3: models.a.priority must be a whole number"),
        ("models:\n  a:\n    priority: 1.5\n", "line 3: models.a.priority is 1.5. It must be a whole number."),
        ("models:\n  a: {cache: yes}\n", "line 2: models.a.cache must be true or false"),
        ("models:\n  a: {gpu: maybe}\n", "It must be required, preferred or off."),
        ("models:\n  a: {engine: {threads: -1}}\n", "It must lie between 0 and 4,096."),
        ("models:\n  a: {engine: {kv_type: q5}}\n", "It must be f16, q8_0 or q4_0."),
        ("models:\n  a: {sampling: {temperature: 9}}\n", "temperature is 9.0. It must lie between 0 and 5."),
        ("models:\n  a: {sampling: {temperature: .nan}}\n", "line 2: models.a.sampling.temperature"),
        ("models:\n  a: {model: 7}\n", 'Put it into quotes: "7".'),
        ("models:\n  a: {}\n  A: {}\n", "line 3: A and a (line 2) are the same name"),
        ("models:\n  a: {}\n  a: {}\n", "line 3: a stands here twice: on line 2 already."),
        ("models:\n  a/b: {}\n", "line 2: a/b cannot be the name of a model."),
        ("models:\n  auto: {}\n", "line 2: auto cannot be the name of a model."),
        ("models:\n  a: {model: '${GONE}'}\n", "line 2: The variable GONE is not set."),
        ("models:\n  a: {model: '${GONE'}\n", "Write '$${' where you mean"),
        ("servers:\n  box: {}\n", "line 2: The server box has no url."),
        ("servers:\n  box: {url: 'ftp://x'}\n", "line 2: 'ftp://x' is no address of a server."),
        ("roles:\n  poet: {title: Poet}\n", "line 2: The role poet has no prompt."),
        ("roles:\n  poet: {prompt_file: gone.md}\n", "line 2: There is no file"),
        ("tasks:\n  codng: {}\n", "line 2: tasks.codng is not known here. Did you mean coding?"),
        ("fallbacks:\n  a: [b]\n  b: [a]\n", "These fallbacks go round in a circle: a → b → a."),
        ("fallbacks: {a: [a]}\n", "a → a"),
        ("routing: [1]\n", "line 1: routing must hold keys with values"),
        ("routing:\n  local_only: true\n  remote: true\n", "line 3: Nothing may leave this computer"),
        ("- a\n", "line 1: The file must hold keys with values"),
        ("a: [\n", "This is no YAML"),
        ("models:\n\ta: 1\n", "line 2: A line begins with a tab."),
        ("models: !!python/object/apply:os.system [true]\n", "line 1: Tags"),
        ("a: 1\n---\nb: 2\n", "line 2: A second document begins here."),
        ("models: {<<: {a: {}}}\n", "line 1"),
        (
            "models:\n  a: {engine: {threads: 1}}\n  b: {model: a, gpu: off}\n",
            "a and b both say how a is loaded.",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_a_hint(text: str, says: str) -> None:
    assert says in "\n".join(told(text))


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    found = reading("models:\n  a: {gpu: x, cache: 3}\nrouting: {local: 1}\nservers:\n  s: {url: '${U}'}\n").problems
    assert [problem.line for problem in found] == [2, 2, 3, 5]


def test_models_elsewhere_are_no_grave_mistakes() -> None:
    def known(name: str) -> CodetteError | None:
        return None if name == "there" else ModelNotFound(f"There is no model '{name}'.", "Look.")

    text = "models:\n  writer: {model: there}\nfallbacks:\n  default: [writer, wrter, there, gone]\n"
    found = read(text, {}, HERE, known=known)
    assert [(problem.path, str(problem)) for problem in found.problems] == [
        ("fallbacks.default.1", "line 4: There is no model 'wrter'. Did you mean writer?"),
        ("fallbacks.default.3", "line 4: There is no model 'gone'. Look."),
    ]
    assert found.usable


def laughs(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        laughs(12),
        "[" * 100_000,
        "{a: " * 50_000,
        "a: &x [*x]",
        "a: &x {b: *x}",
        "x" * 300_000,
        "? " * 5000,
        "- " * 20_000,
    ],
)
def test_a_file_made_to_do_harm_is_refused(text: str) -> None:
    found = reading(text)
    assert found.problems
    assert not found.usable


def test_an_alias_within_bounds_stands_for_what_it_names() -> None:
    found = reading("models:\n  a: {sampling: &warm {temperature: 1.5}}\n  b: {sampling: *warm}\n")
    assert found.problems == ()
    assert found.settings.models["b"].sampling == {"temperature": 1.5}


PIECES = st.sampled_from(
    ["models:", "  a:", "\n", " ", "- ", "[", "]", "{", "}", ": ", ", ", "&x ", "*x", "!t ", "# c", "'", '"', "|\n",
     "${A}", "${", "$${", "? ", "%YAML 1.1\n", "---\n", "...", "\t", "\r\n", "roles:", "priority: 1",
     "x", "0", "~", "<<: ", ">-"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=24).map("".join)))
@example("\ud800")
@example("a: \x85b")
def test_any_text_gives_settings_or_problems(text: str) -> None:
    found = reading(text)
    assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in found.problems)
    root, _problems = parse(text)
    assert found.problems or root is None or root.kind == "mapping"


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4))
def test_a_path_is_read_as_it_was_written(keys: list[str]) -> None:
    assert parse_path(path_text(keys)) == tuple(keys)


@pytest.mark.parametrize("text", ["", ".", "a.", "a..b", '"a', 'a"b', "a b"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        parse_path(text)


def test_a_problem_reads_as_a_sentence() -> None:
    assert str(Problem(12, 3, "a", "It is wrong.", "Mend it.")) == "line 12: It is wrong. Mend it."
