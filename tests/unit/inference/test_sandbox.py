"""Templates are text from strangers: whatever they try ends quickly, in words, and without the machine's memory."""

# ruff: noqa: E501 - templates are easier to read on one line
import sys
import time
import tracemalloc

import pytest

from codette_desktop.domain.errors import InvalidRequest, UnsupportedModel
from codette_desktop.domain.messages import Message, Role
from codette_desktop.inference.llama.template import ChatTemplate

QUESTION = [Message(Role.USER, "Hello")]

ATTACKS = {
    "classes": "{{ messages.__class__.__mro__ }}",
    "builtins": "{{ ''.__class__.__base__.__subclasses__() }}",
    "builtins by filter": "{{ (''|attr('__class__')).__base__ }}",
    "globals of a function": "{{ raise_exception.__globals__.sys }}",
    "environment": "{{ self.__init__.__globals__ }}",
    "a file": "{% include '/etc/passwd' %}",
    "a module": "{% import 'os' as os %}{{ os.system('true') }}",
    "format by method": "{{ '{0.__class__}'.format(1) }}",
    "padding by format": "{{ '{:>1000000000}'.format(1) }}",
    "format by operator": "{{ '%1000000000d' % 1 }}",
    "append": "{% set _ = messages.append(1) %}",
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}"
    "{% endfor %}{% endfor %}{% endfor %}",
    "a long range": "{{ range(10**9)|list }}",
    "macros calling themselves twice": "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(200) }}",
    "recursive loops": "{% for a in range(9999) recursive %}{{ loop(range(9999)) }}{% endfor %}",
    "endless recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a product": "{{ 'a' * 10**9 }}",
    "a product the other way round": "{{ 10**9 * 'a' }}",
    "a product of lists": "{{ [0] * 10**9 }}",
    "a power": "{{ 10 ** 10 ** 10 }}",
    "powers by multiplication": "{% set ns = namespace(x=3) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}"
    "{{ ns.x }}",
    "doubling by plus": "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "doubling by tilde": "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "doubling by capture": "{% set ns = namespace(x='ab') %}{% for i in range(99) %}"
    "{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}{% endfor %}",
    "doubling by lists": "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
    "{{ ns.x }}",
    "doubling by tuples": "{% set ns = namespace(x=(1,)) %}{% for i in range(99) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}"
    "{{ ns.x }}",
    "doubling by dictionaries": "{% set ns = namespace(x=1) %}{% for i in range(99) %}"
    "{% set ns.x = {'a': ns.x, 'b': ns.x} %}{% endfor %}{{ ns.x|tojson }}",
    "doubling by arguments": "{% macro m(n) %}{% if n %}{{ m(n - 1, varargs, varargs) }}{% else %}{{ varargs }}{% endif %}"
    "{% endmacro %}{{ m(90, 1) }}",
    "doubling by escapes": "{% set ns = namespace(x='\\\\') %}{% for i in range(99) %}{% set ns.x = ns.x|tojson %}{% endfor %}",
    "padding by method": "{{ 'a'.ljust(10**9) }}",
    "padding by filter": "{{ 'a'|center(10**9) }}",
    "zeros": "{{ '1'.zfill(10**9) }}",
    "tabs": "{{ '\\t'.expandtabs(10**9) }}",
    "indent": "{% for i in range(99999) %}{{ ('\\n' * 100000)|indent(10**9) }}{% endfor %}",
    "join": "{{ range(99999)|join('a' * 100000) }}",
    "join by method": "{{ ('a' * 100000).join(['b'] * 100000) }}",
    "replace": "{{ ('a' * 100000)|replace('a', 'b' * 100000) }}",
    "replace by method": "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
    "replace nothing": "{{ ('a' * 100000).replace('', 'b' * 100000) }}",
    "rounding": "{{ 1.5|round(10**9, 'ceil') }}{{ undefined_thing.x }}",
    "a huge output": "{% for i in range(99999) %}{{ 'a' * 1000 }}{% endfor %}",
    "a batch": "{{ [1]|batch(10**9, 'x')|list }}",
    "a sum of lists": "{{ range(9999)|sum(start=[]) }}",
    "lorem ipsum": "{{ lipsum(n=10**6) }}",
    "brackets": "{{ " + "(" * 50_000 + "1" + ")" * 50_000 + " }}",
    "nested ifs": "{% if 1 %}" * 5000 + "{% endif %}" * 5000,
    "a huge template": "a" * 600_000,
    "broken syntax": "{% for %}",
    "an unknown filter": "{{ 1|nonsense }}",
    "a dictionary loop": "{% set d = {} %}{% set _ = d.update({'d': d}) %}{{ d }}",
}


@pytest.mark.parametrize("source", ATTACKS.values(), ids=ATTACKS.keys())
def test_an_attack_ends_soon_and_in_words(source: str) -> None:
    started = time.monotonic()
    with pytest.raises((UnsupportedModel, InvalidRequest)) as caught:
        ChatTemplate(source).render(QUESTION)
    assert time.monotonic() - started < 20  # the limit is 2 s; other work on the machine may stretch it
    assert "chat template" in caught.value.message
    assert len(caught.value.message) < 5000


@pytest.mark.parametrize("name", ["doubling by tilde", "doubling by capture", "join", "replace", "a product", "indent"])
def test_an_attack_on_memory_gets_little_of_it(name: str) -> None:
    tracemalloc.start()
    with pytest.raises(UnsupportedModel):
        ChatTemplate(ATTACKS[name]).render(QUESTION)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 150_000_000


def test_a_trace_function_of_someone_else_is_put_back() -> None:
    def tracer(*_: object) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        ChatTemplate("{{ messages[0]['content'] }}").render(QUESTION)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ messages|length }}{{ [1, 2] + [3] }}{{ 'a' ~ 1 ~ none }}", "1[1, 2, 3]a1None"),
        ("{{ messages[0]|tojson }}", '{"role": "user", "content": "Hello"}'),
        ("{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}", "1"),
        ("{{ messages[0].content.strip().upper().replace('L', 'x') }}", "HExxO"),
        ("{{ ['a', 'b']|join(', ') }}{{ ', '.join(['c', 'd']) }}", "a, bc, d"),
        ("{% for m in messages %}{% if loop.last %}{% break %}{% endif %}{% endfor %}done", "done"),
        ("{% generation %}{{ messages[0]['role'] }}{% endgeneration %}", "user"),
        ("{{ 'a\nb'|indent(2) }}", "a\n  b"),
        ("{% for k, v in {'x': 1}.items() %}{{ k }}{{ v }}{% endfor %}", "x1"),
        ("{% set (a, b) = (1, 2) %}{{ a }}{{ b }}{{ messages[-1:]|length }}{{ 7 % 4 }}{{ 2 ** 3 }}", "12138"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(messages[0].content) }}", "<Hello>"),
        ("{{ bos_token }}{{ tools is none }}{{ messages is iterable }}{{ (1, 2)[1] }}", "<s>TrueTrue2"),
        ("{{ messages|selectattr('role', 'equalto', 'user')|list|length }}", "1"),
        ("{{ strftime_now('%Y')|length }}", "4"),
        ("{{ dict(a=1)['a'] }}{{ messages[0].content[1:3] }}{{ 'ell' in messages[0].content }}", "1elTrue"),
        ("{{ messages[0].content.split('l')[0] }}{{ messages[0]['content'] | trim }}", "HeHello"),
    ],
)
def test_what_real_templates_do_works(source: str, text: str) -> None:
    assert ChatTemplate(source, bos_token="<s>").render(QUESTION) == text
