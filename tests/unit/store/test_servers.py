"""Servers and what they listed, kept over a restart."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.models import ServerModel
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.store import Store

HOUSE = Server("House", "http://127.0.0.1:11434", ServerKind.OLLAMA)
FAR = Server("Far", "https://far.example", ServerKind.AUTO, "FAR_TOKEN")
MODEL = ServerModel("House/m", "m", "House", quantisation="Q4_0", parameters=7, size_bytes=8, context_length=9)


def test_servers_come_back_in_the_order_they_were_added(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.servers.add(HOUSE).result()
        store.servers.add(FAR).result()
        store.servers.remember_models(HOUSE, [MODEL]).result()
    with Store.open(tmp_path) as store:
        assert store.servers.list() == [HOUSE, FAR]
        assert store.servers.list_models() == [(HOUSE, [MODEL]), (FAR, [])]
        assert store.servers.get("hOUSE") == HOUSE
        assert store.servers.get("nobody") is None


def test_a_name_is_taken_whatever_its_case(store: Store) -> None:
    store.servers.add(HOUSE).result()
    with pytest.raises(InvalidRequest, match="server named HOUSE already"):
        store.servers.add(replace(FAR, name="HOUSE")).result()
    assert store.servers.list() == [HOUSE]


def test_a_removed_server_takes_its_models_along(store: Store) -> None:
    store.servers.add(HOUSE).result()
    store.servers.remember_models(HOUSE, [MODEL]).result()
    assert store.servers.remove("house").result() is True
    assert store.servers.remove("house").result() is False
    store.servers.add(HOUSE).result()
    assert store.servers.list_models() == [(HOUSE, [])]


def test_what_an_old_address_listed_is_not_kept_for_the_new_one(store: Store) -> None:
    store.servers.add(HOUSE).result()
    store.servers.remember_models(replace(HOUSE, url="http://127.0.0.1:1"), [MODEL]).result()
    assert store.servers.list_models() == [(HOUSE, [])]


def test_whether_a_model_is_elsewhere_is_said_by_its_server(store: Store) -> None:
    store.servers.add(FAR).result()
    store.servers.remember_models(FAR, [replace(MODEL, name="Far/m", server="Far", remote=False)]).result()
    assert store.servers.list_models()[0][1][0].remote


def test_what_a_newer_version_kept_is_read_as_far_as_it_is_understood(store: Store) -> None:
    store.servers.add(HOUSE).result()
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("""UPDATE servers SET kind = 'grpc', models = '[{"name": "House/n", "display_name": "n",
            "colour": "red"}]'""")
    ((server, models),) = store.servers.list_models()
    assert server.kind is ServerKind.AUTO
    assert models == [ServerModel("House/n", "n", "House")]


def test_no_column_could_hold_a_token(store: Store) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(servers)")}
    assert columns == {"name", "url", "kind", "token_env", "models", "added_at"}
