"""JSON schemas become grammars, or a refusal in words; never a grammar that promises less."""

import json

import pytest

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.llama.grammar import from_json_schema, grammar_of


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"title": "Anything", "description": "of any kind"},
        {"type": "string", "enum": ["yes", "no"]},
        {
            "type": "object",
            "properties": {"title": {"type": "string"}, "if": {"type": "integer"}},
            "required": ["title"],
        },
        {"type": "array", "items": {"type": "number", "description": "a price"}, "minItems": 1, "maxItems": 3},
        {"$defs": {"name": {"type": "string"}}, "type": "object", "properties": {"n": {"$ref": "#/$defs/name"}}},
        {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
        {"type": "string", "pattern": "^[a-z]+$"},
    ],
)
def test_a_schema_becomes_a_grammar(schema: dict[str, object]) -> None:
    assert "root ::=" in from_json_schema(json.dumps(schema))


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[1]", "not an object"),
        ('{"type": "integer", "minimum": 3}', '"minimum"'),
        ('{"type": "object", "properties": {"a": {"not": {}}}}', '"not"'),
        ('{"$ref": "https://example.org/x.json"}', "cannot be used"),
        ('{"$ref": "#/nowhere"}', "cannot be used"),
        ('{"type": "nonsense"}', "cannot be used"),
        ('{"type": "string", "pattern": "no anchors"}', "cannot be used"),
        ('{"type": "object", "properties": 3}', "cannot be used"),
    ],
)
def test_a_schema_that_cannot_be_kept_is_refused(schema: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        from_json_schema(schema)


def test_a_grammar_that_would_overflow_the_parser_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="too deeply"):
        grammar_of(Sampling(grammar="root ::= " + "(" * 100_000))
    with pytest.raises(InvalidRequest, match="characters"):
        grammar_of(Sampling(grammar="#" * 600_000))


@pytest.mark.parametrize(
    "schema",
    [
        '{"type": "string", "minLength": 1000000000}',
        '{"type": "array", "items": {"type": "string", "maxLength": 1e9}}',
        '{"type": "string", "pattern": "^a{1000000000}$"}',
        '{"type": "string", "pattern": "^((a{900}){900}){900}$"}',
    ],
)
def test_counts_for_which_the_converter_would_write_gigabytes_are_refused(schema: str) -> None:
    with pytest.raises(InvalidRequest, match="at most 1000"):
        from_json_schema(schema)


def test_counts_up_to_the_limit_become_grammars_that_can_be_used() -> None:
    for schema in ('{"type": "string", "maxLength": 1000}', '{"type": "string", "pattern": "^[a-z]{1,1000}$"}'):
        assert grammar_of(Sampling(json_schema=schema))


def test_a_grammar_made_from_a_schema_is_judged_as_well() -> None:
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}}}
    with pytest.raises(InvalidRequest, match="cannot be used"):
        grammar_of(Sampling(json_schema=json.dumps(schema)))


def test_no_grammar_is_none() -> None:
    assert grammar_of(Sampling()) is None
    assert grammar_of(Sampling(grammar='root ::= "a"')) == 'root ::= "a"'
