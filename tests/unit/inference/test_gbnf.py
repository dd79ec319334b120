"""Grammars are judged before the engine reads them: what would end the process is an error in words."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.inference.llama.gbnf import check_grammar
from codette_desktop.inference.llama.library import library
from codette_desktop.inference.llama.vocabulary import Vocabulary


def rules(first: str, count: int, pattern: str, last: str = '"x"') -> str:
    """`root`, then `count` rules of `pattern`, in which N is the next rule, then the last one."""
    chain = [f"a{number} ::= {pattern.replace('N', f'a{number + 1}')}" for number in range(count)]
    return "\n".join([f"root ::= {first}", *chain, f"a{count} ::= {last}"])


HOSTILE = {
    "brackets in literals": "root ::= " + '(")"' * 20_000 + ' "a"' + ")" * 20_000,
    "brackets in classes": "root ::= " + "([)]" * 20_000 + ' "a"' + ")" * 20_000,
    "brackets in comments": "root ::= " + "(#)\n" * 20_000 + ' "a"' + ")" * 20_000,
    "an escaped quote": "root ::= " + '("\\")"' * 20_000 + ' "a"' + ")" * 20_000,
    "optional of optional": 'root ::= "a"' + "?" * 100_000,
    "at most less than at least": 'root ::= "a"{5,2}',
    "a long literal many times": 'root ::= "' + "a" * 400_000 + '"{2000}',
    "many literals many times": "root ::= " + '"a"{2000} ' * 40_000,
    "a very long chain of rules": rules("a0", 30_000, "N"),
    "rules visited twice by each before": rules("a0", 60, "N | N"),
    "ways that double with each rule": rules("a0", 60, '"b"? N N | ""'),
    "ways that double in the middle": rules('"b" a0', 60, '"b"? N N | ""'),
    "hidden left recursion": 'root ::= x root "c" | "b"\nx ::= y y\ny ::= "a" | ""',
    "left recursion through several rules": 'root ::= a\na ::= b "x"\nb ::= c\nc ::= a | "y"',
    "an alternative for each of many": "root ::= " + "|".join(['"a"'] * 30_000),
}


def test_what_the_engine_does_not_survive_is_refused_in_words(tiny_path: Path, tmp_path: Path) -> None:
    """In a process of its own, since without the check it would not come back."""
    code = f"""
from pathlib import Path
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.models import EngineSettings
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.sampler import Sampler
from tests.unit.inference.test_gbnf import HOSTILE
model = Model.load(Path({str(tiny_path)!r}), EngineSettings(), vocabulary_only=True)
for name, grammar in HOSTILE.items():
    print(name, flush=True)
    try:
        Sampler(Sampling(grammar=grammar), model.vocabulary)
    except InvalidRequest as error:
        print("refused:", error, flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"it ended after: {lines[-1:]} {done.stderr[-500:]}"
    assert lines[::2] == list(HOSTILE)
    assert all(line.startswith("refused: ") for line in lines[1::2])


@pytest.mark.parametrize(
    ("grammar", "words"),
    [
        ("root ::= (", "not closed"),
        ('root ::= "a")', "never opened"),
        ("root ::= * ", "nothing that could be repeated"),
        ('root ::= "" +', "nothing that could be repeated"),
        ('root ::= "a" | missing', "no rule named missing"),
        ('start ::= "a"', "no rule named root"),
        ("# nothing", "no rule named root"),
        ('"a"', "where a rule should begin"),
        ('root ::= "\\q"', "cannot be read"),
        ('root ::= "a" other ::= "b"', "in the middle"),
        ('root ::= "a\0"', "cannot be read"),
        # The library offers tokens of several characters by these that it then cannot take, and ends the process.
        ("root ::= [a-z ] !<[0]>", "single tokens"),
    ],
)
def test_mistakes_are_named(grammar: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        check_grammar(grammar)


SOUND = [
    'root ::= "yes" | "no, " [0-9]{3}',
    "root ::= [a-z ]*  [A]",
    'root ::= (\n  "a" # one\n  | "b"\n)+ [^"\\]\\\\]?\n',
    '# sums\nroot ::= (expr "=" ws)+\nexpr ::= term ([-+*/] term)*\nterm ::= num | "(" ws expr ")" ws\n'
    "num ::= [0-9]+ ws\nws ::= [ \\t\\n]*\n",
    'root ::= "a"{0} "b"{2,} "c"{0,9000}',
    'root ::= ""\nunused ::= .',
    'root ::= "\\x41\\u00e4\\U0001F600" |\n  other\r\nother ::= [é-ü]{2,5}',
    'root ::= "[" root? "]"',
    "root ::= " + "(" * 1000 + '"a"' + ")" * 1000,
    "root ::= [a-z]{0,2000}",
    "root ::= " + "|".join(f'"{number}"' for number in range(5000)),
]


@pytest.mark.parametrize("grammar", SOUND)
def test_sound_grammars_pass_and_the_engine_takes_them(vocabulary: Vocabulary, grammar: str) -> None:
    check_grammar(grammar)
    assert _made(vocabulary, grammar)


WORDS = '"a" "" [a-c] [^a] [] x y root ( ) | * + ? {2} {0,2} {1,} {3,1} . ::= { " [ - < !'.split()
pieces = st.sampled_from([*WORDS, "\n", "\nx ::= ", "\ny ::= ", " # c\n", "\\", "\t", "\r\n"])


@settings(max_examples=300)
@given(body=st.lists(pieces, max_size=12), x=st.lists(pieces, max_size=5))
def test_what_passes_the_engine_takes(vocabulary: Vocabulary, body: list[str], x: list[str]) -> None:
    grammar = "root ::= " + " ".join(body) + "\nx ::= " + " ".join(x) + '\ny ::= "y"'
    try:
        check_grammar(grammar)
    except InvalidRequest:
        return
    assert _made(vocabulary, grammar)


def _made(vocabulary: Vocabulary, grammar: str) -> bool:
    c = library().c
    made = c.llama_sampler_init_grammar(vocabulary.handle, grammar.encode(), b"root")
    if made:
        c.llama_sampler_free(made)
    return bool(made)
