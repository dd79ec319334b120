"""Servers as people type them."""

import pytest

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.servers import Server, ServerKind, is_loopback


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("localhost:1234/v1/", "http://localhost:1234"),
        ("  https://Example.org/llm/v1 ", "https://example.org/llm"),
        ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[::]:8000/", "http://127.0.0.1:8000"),
    ],
)
def test_an_address_has_one_form(typed: str, kept: str) -> None:
    assert Server.checked("A", typed).url == kept


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "no address"),
        ("ftp://host", "no address"),
        ("http://", "no address"),
        ("http://host:99999", "no address"),
        ("http://a b", "no address"),
        ("http://[::1", "no address"),
        ("http://me:secret@host", "holds a name, a password"),
        ("http://host?key=1", "holds a name, a password"),
    ],
)
def test_what_is_no_address_is_refused(typed: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        Server.checked("A", typed)


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "-x", "x" * 41, "a\nb"])
def test_names_can_be_told_from_models(name: str) -> None:
    with pytest.raises(InvalidRequest):
        Server.checked(name, "http://localhost")


@pytest.mark.parametrize("variable", ["sk-12345", "a b", "1X"])
def test_a_token_in_place_of_its_variable_is_refused_and_not_repeated(variable: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Server.checked("A", "http://localhost", token_env=variable)
    assert variable not in str(caught.value)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no kind of server 'grpc'"):
        Server.checked("A", "http://localhost", "grpc")
    assert Server.checked("A", "http://localhost", "ollama").kind is ServerKind.OLLAMA


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "x.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_computer(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "192.168.0.2", "example.org", "localhost.example.org", "fe80::1", "10.0.0.1"])
def test_other_computers(host: str) -> None:
    assert not is_loopback(host)


def test_a_mapped_address_is_seen_through() -> None:
    assert is_loopback("::ffff:127.0.0.1")
    assert not is_loopback("::ffff:10.0.0.1")


def test_a_server_elsewhere_says_so_wherever_it_is_named() -> None:
    assert Server("Big", "http://10.0.0.5:8000").place == "Big at 10.0.0.5:8000, outside this computer"
    assert Server("Small", "http://127.0.0.1:8000").place == "Small at 127.0.0.1:8000"
