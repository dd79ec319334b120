"""Votes written to files and read from them: nothing is lost on the way, and every mistake names its line."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.events import EventBus, VotesChanged
from codette_desktop.domain.votes import Contestant, Exclusion, GivenAnswer, Preference, Source, Style, Vote, VoteFilter
from codette_desktop.rating import columns, importing
from codette_desktop.rating.exporting import Exported, Format
from codette_desktop.rating.files import guarded, unguarded
from codette_desktop.rating.votes import VoteService
from codette_desktop.store import Store
from tests.support.voting import ADA, BOB, START, duel, experiment, later, vote, vote_on

HEAD = "model_a,model_b,winner"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def service(store: Store) -> VoteService:
    return VoteService(store, EventBus())


def table(folder: Path, content: str | bytes) -> Path:
    path = folder / "votes.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def entries(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


texts = st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace").decode().replace("\0", "0"))
names = st.one_of(
    texts, st.sampled_from(["=1+1", "'=x", "''-", "+a", "-", "@a", "\ta", "\ra", "'", 'a"b', "a\r\nb", "é,ü"])
)


@given(names)
def test_no_cell_is_a_formula_and_every_text_comes_back(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(guarded(text)) == text


@st.composite
def votes_of_a_file(draw: st.DrawFn) -> Vote:
    whole = st.integers(-(2**63) + 1, 2**63 - 1)

    def answer(name: str) -> GivenAnswer:
        style = Style(*draw(st.tuples(*[st.integers(0, 10**6)] * 5)))
        kept = draw(st.tuples(texts, st.none() | whole, texts, texts))
        return GivenAnswer(importing.contestant(name), kept[0], "", *kept[1:], style)

    left, right = draw(st.lists(names.filter(str.strip), min_size=2, max_size=2, unique=True))
    return Vote(
        id="",
        cast_at=later(draw(st.integers(-(10**6), 10**6))),
        source=Source.IMPORTED,
        preference=draw(st.sampled_from(list(columns.WINNERS))),
        left=answer(left),
        right=answer(right),
        exclusion=draw(st.sampled_from(Exclusion)),
        prompt_hash=draw(texts),
        task=draw(texts.filter(bool)),
        tags=tuple(draw(st.lists(texts, max_size=3))),
        leaks=tuple(draw(st.lists(texts, max_size=3))),
        seconds=draw(st.none() | st.floats(0, 1e6)),
        seed=draw(st.none() | whole),
        swapped=draw(st.booleans()),
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(votes_of_a_file(), min_size=1, max_size=5))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, votes: list[Vote]) -> None:
    path = tmp_path_factory.mktemp("csv") / "votes.csv"
    labels = {side.contestant.key: side.contestant.label for item in votes for side in (item.left, item.right) if side}
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.COLUMNS)
        writer.writerows(columns.cells(item, labels) for item in votes)
    assert list(importing.read(path)) == votes


async def test_an_export_is_read_again(store: Store, service: VoteService, tmp_path: Path) -> None:
    store.votes.cast(
        vote(Preference.RIGHT, id="1", seconds=2.5, tags=("=a", "ü"), prompt_hash="p", task="code")
    ).result()
    store.votes.cast(
        vote(Preference.TIE, id="2", exclusion=Exclusion.NAMED, cast_at=later(1), leaks=("I am Ada",))
    ).result()
    store.votes.cast(vote(id="3", cast_at=later(2))).result()
    store.votes.take_back("3").result()
    store.votes.cast(replace(vote(), id="4", source=Source.THUMB, preference=Preference.UP, right=None)).result()
    path = tmp_path / "votes.csv"
    assert service.export(path, Format.CSV) == Exported(1, 0)
    (row,) = rows(path)
    assert list(row)[:3] == ["model_a", "model_b", "winner"]
    assert (row["model_a"], row["model_b"], row["winner"]) == (ADA.label, BOB.label, "model_b")
    assert (row["model_a_hash"], row["tokens_a"], row["seconds"], row["swapped"]) == (ADA.key, "30", "2.5", "false")
    assert service.export(path, Format.CSV, everything=True) == Exported(3, 1)
    assert [row["exclusion"] for row in rows(path)] == ["", "named itself", ""]
    assert [bool(row["taken_back_at"]) for row in rows(path)] == [False, False, True]

    first, second = store.votes.get("1"), store.votes.get("2")
    with Store.open(tmp_path / "elsewhere") as other:
        there = VoteService(other, EventBus())
        assert (await there.import_file(path)).votes == 2
        again = there.list(VoteFilter(sources=(Source.IMPORTED,)))
        assert other.votes.tally().outcome == [0.0]
        assert other.audit.verify().whole
        with pytest.raises(InvalidRequest, match="already"):
            await there.import_file(path)
    for old, new in zip((second, first), again, strict=True):
        assert old is not None
        assert old.right is not None
        same = replace(
            old,
            id=new.id,
            source=Source.IMPORTED,
            left=replace(old.left, contestant=importing.contestant(ADA.label)),
            right=replace(old.right, contestant=importing.contestant(BOB.label)),
        )
        assert new == same


async def test_a_vote_that_is_kept_already_counts_once(store: Store, service: VoteService, tmp_path: Path) -> None:
    for number in range(3):
        store.votes.cast(vote(id=str(number), prompt_hash="p", cast_at=later(number))).result()
    store.votes.take_back("2").result()
    path = tmp_path / "own.csv"
    service.export(path, Format.CSV)
    store.votes.take_back("1").result()  # it was written to the file: it stays taken back
    done = await service.import_file(path)
    assert (done.votes, done.known) == (0, 2)
    assert len(service.list()) == 3
    assert store.votes.tally().outcome == [1.0]
    with Store.open(tmp_path / "elsewhere") as other:  # a later table of the same person holds the former one
        there = VoteService(other, EventBus())
        assert (await there.import_file(path)).votes == 2
        store.votes.cast(vote(id="3", prompt_hash="p", cast_at=later(3))).result()
        service.export(path, Format.CSV, everything=True)
        done = await there.import_file(path)
        assert (done.votes, done.known) == (1, 1)
        assert other.audit.verify().whole


async def test_equal_rows_without_hashes_may_be_different_votes(service: VoteService, tmp_path: Path) -> None:
    done = await service.import_file(table(tmp_path, f"{HEAD},cast_at\n" + "a,b,model_a,2026-05-01\n" * 3))
    assert (done.votes, done.known) == (3, 0)


async def test_a_leaderboard_tells_who_is_from_a_file(store: Store, service: VoteService, tmp_path: Path) -> None:
    store.votes.cast(vote()).result()
    store.votes.cast(vote(left=GivenAnswer(replace(ADA, key="d" * 64)))).result()
    await service.import_file(table(tmp_path, f"{HEAD}\n{ADA.label},Zoe,model_a\n"))
    labels = {item.contestant.label for item in service.leaderboard().standings}
    assert labels == {f"{ADA.label} #aaaaaaaa", f"{ADA.label} #dddddddd", f"{ADA.label} (imported)", BOB.label, "Zoe"}


@pytest.mark.parametrize("line", [1, 2, 5_000])
async def test_the_line_that_is_no_utf_8_is_named(service: VoteService, tmp_path: Path, line: int) -> None:
    content = [HEAD, *("a,b,tie" for _ in range(6_000))]
    spoilt = [text.replace("a", "\xe9") if at == line else text for at, text in enumerate(content, 1)]
    with pytest.raises(InvalidRequest, match=f"line {line:,} is not UTF-8"):
        await service.import_file(table(tmp_path, "\n".join(spoilt).encode("latin-1")))


def test_two_of_one_label_have_two_names(service: VoteService, store: Store, tmp_path: Path) -> None:
    twin = Contestant("d" * 64, ADA.label)
    store.votes.cast(vote(right=GivenAnswer(twin))).result()
    service.export(tmp_path / "votes.csv", Format.CSV)
    (row,) = rows(tmp_path / "votes.csv")
    assert (row["model_a"], row["model_b"]) == (f"{ADA.label} #aaaaaaaa", f"{ADA.label} #dddddddd")


@pytest.mark.parametrize(
    ("content", "preferences"),
    [
        (f"{HEAD}\na,b,model_a\nb,a,tie\n", "left tie"),
        (f"\ufeff{HEAD}\r\na,b,model_b\r\n\r\na,b,both_bad\r\n", "right both_bad"),
        (f"{HEAD}\na,b,tie (bothbad)\na,b,bothbad\na,b,Both_Bad", "both_bad both_bad both_bad"),
        ("winner;unknown;model_b;model_a\nmodel_a;x;b;a\n", "left"),
        ("model_a\tmodel_b\twinner\na\tb\ttie\n", "tie"),
        (f'{HEAD}\n"a\nb","c ""d""",tie\n', "tie"),
        (f"{HEAD}\n", ""),
    ],
)
async def test_tables_of_others_are_read(service: VoteService, tmp_path: Path, content: str, preferences: str) -> None:
    done = await service.import_file(table(tmp_path, content))
    found = service.list()[::-1]
    assert [item.preference.value for item in found] == preferences.split()
    assert done.votes == len(found)
    assert all(item.counts and item.source is Source.IMPORTED and item.task == "general" for item in found)


async def test_votes_without_a_moment_keep_the_order_of_the_file(
    service: VoteService, store: Store, tmp_path: Path
) -> None:
    winners = ["model_a", "tie", "model_b", "both_bad", "model_a"] * 20
    await service.import_file(table(tmp_path, "\n".join([HEAD, *(f"a,b,{winner}" for winner in winners)])))
    assert [columns.WINNERS[item.preference] for item in store.votes.each()] == winners
    assert len({item.cast_at for item in store.votes.each()}) == 100


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        ("a,b\n", "no column model_a, model_b, winner"),
        ("model_a,model_b\na,b\n", "no column winner"),
        ("model_a,model_b,winner,winner\n", "column winner twice"),
        (f"{HEAD}\na,b,model_a\na,b,A\n", "line 3 has 'A' in winner"),
        (f"{HEAD}\na,b,\n", "line 2 has '' in winner"),
        (f"{HEAD}\na,,tie\n", "line 2 has no name in model_b"),
        (f"{HEAD}\n  ,b,tie\n", "line 2 has no name in model_a"),
        (f"{HEAD}\na,a,tie\n", "line 2 has 'a' on both sides"),
        (f"{HEAD}\na,b\n", "line 2 has 2 cells"),
        (f"{HEAD}\na,b,tie,x\n", "line 2 has 4 cells"),
        (f'{HEAD}\n"a\nb",c,tie\nd,e,nobody\n', "line 4 has 'nobody'"),
        (f'{HEAD}\n"a,b,tie\n', "line 2 is no CSV"),
        (f'{HEAD}\na,"b"c,tie\n', "line 2 is no CSV"),
        (f"{HEAD}\n{'a' * 1001},b,tie\n", "1,000 characters"),
        (f"{HEAD},cast_at\na,b,tie,yesterday\n", "no time in cast_at"),
        (f"{HEAD},cast_at\na,b,tie,0001-01-01T00:00:00+14:00\n", "no time in cast_at"),
        (f"{HEAD},seconds\na,b,tie,inf\n", "no finite number in seconds"),
        (f"{HEAD},seconds\na,b,tie,x\n", "no number in seconds"),
        (f"{HEAD},seed\na,b,tie,1.5\n", "no whole number in seed"),
        (f"{HEAD},seed\na,b,tie,{2**63}\n", "too large"),
        (f"{HEAD},tokens_a\na,b,tie,many\n", "no whole number in tokens_a"),
        (f"{HEAD},tokens_a\na,b,tie,-1\n", "negative number in tokens_a"),
        (f"{HEAD},exclusion\na,b,tie,whim\n", "'whim' in exclusion"),
        (f"{HEAD},swapped\na,b,tie,maybe\n", "'maybe' in swapped"),
        (f"{HEAD},tags\na,b,tie,x\n", "no list in tags"),
        (f"{HEAD},tags\na,b,tie,[1]\n", "no list of words in tags"),
        (f"{HEAD}\na,b,tie\n".encode("utf-16"), "not UTF-8"),
        (f"{HEAD}\na,b,tie\n".encode() + b"\xff,b,tie\n", "not UTF-8"),
        (b"\x00" * 100, "no column"),
    ],
)  # fmt: skip
async def test_a_wrong_table_is_refused_whole(
    service: VoteService, store: Store, tmp_path: Path, content: str | bytes, says: str
) -> None:
    path = table(tmp_path, content)
    with pytest.raises(InvalidRequest) as told:
        await service.import_file(path)
    assert says in told.value.message
    assert "votes.csv" in told.value.message
    assert (store.votes.count(), store.contestants.all(), store.audit.count()) == (0, [], 0)


async def test_what_is_no_file_is_told(service: VoteService, tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InvalidRequest, match="cannot be read"):
            await service.import_file(path)
    for path in (tmp_path / "none" / "x.csv", tmp_path):
        with pytest.raises(InvalidRequest, match="cannot be written"):
            service.export(path, Format.CSV)
    assert entries(tmp_path) == ["data"]


async def test_everyone_is_told_of_votes(service: VoteService, tmp_path: Path) -> None:
    told: list[VotesChanged] = []
    service._bus.subscribe(VotesChanged, told.append)
    cast = await service.cast(vote())
    await service.take_back(cast.id)
    await service.import_file(table(tmp_path, f"{HEAD}\na,b,tie\n"))
    with pytest.raises(InvalidRequest):
        await service.cast(vote(Preference.UP))
    assert len(told) == 3


def tuned(store: Store) -> dict[str, Vote]:
    """Votes of every kind on duels with texts, by what they are."""
    of = experiment(store)
    made: dict[str, Vote] = {}
    for name, preference, correction, said in (
        ("left", Preference.LEFT, "", ("good", "bad")),
        ("right", Preference.RIGHT, "", ("poor", "fine")),
        ("corrected", Preference.RIGHT, "best", ("worst", "better")),
        ("tie", Preference.TIE, "", ("one", "two")),
        ("both", Preference.BOTH_BAD, "", ("awful", "dire")),
        ("rescued", Preference.BOTH_BAD, "rescue", ("mess", "chaos")),
        ("same", Preference.LEFT, "", ("equal", "equal ")),
        ("back", Preference.LEFT, "x", ("a", "b")),
    ):
        made[name] = store.votes.cast(
            vote_on(duel(store, of, f"prompt {name}", said), preference, correction=correction)
        ).result()
    store.votes.take_back(made["back"].id).result()
    store.votes.cast(vote()).result()  # whose texts are nowhere
    left = made["left"].left
    for preference, correction in ((Preference.UP, ""), (Preference.DOWN, "own words")):
        store.votes.cast(
            Vote("", START, Source.THUMB, preference, left, exclusion=Exclusion.NOT_BLIND, correction=correction)
        ).result()
    return made


def test_pairs_for_dpo_are_in_the_form_that_trl_reads(store: Store, service: VoteService, tmp_path: Path) -> None:
    tuned(store)
    path = tmp_path / "pairs.jsonl"
    done = service.export(path, Format.DPO)
    found = lines(path)
    assert [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in found] == [
        ("good", "bad"), ("fine", "poor"), ("best", "worst"), ("rescue", "mess"), ("rescue", "chaos"),
        ("own words", "good"),
    ]  # fmt: skip
    assert found[0] == {
        "prompt": [{"role": "user", "content": "prompt left"}],
        "chosen": [{"role": "assistant", "content": "good"}],
        "rejected": [{"role": "assistant", "content": "bad"}],
    }
    assert (done.rows, done.left_out) == (6, 6)
    told = service.usable()
    assert (told.votes, told.dpo) == (11, 6)
    assert {reason.value: count for reason, count in told.unusable} == {
        "taken back": 2, "texts gone": 1, "tie": 1, "both bad": 1, "identical": 1,
    }  # fmt: skip


def test_labelled_answers_for_kto(store: Store, service: VoteService, tmp_path: Path) -> None:
    tuned(store)
    path = tmp_path / "labels.jsonl"
    service.export(path, Format.KTO)
    found = [(row["completion"][0]["content"], row["label"]) for row in lines(path)]
    assert found == [
        ("good", True), ("bad", False), ("poor", False), ("fine", True), ("worst", False), ("better", True),
        ("awful", False), ("dire", False), ("mess", False), ("chaos", False), ("good", False),
    ]  # fmt: skip
    assert set(lines(path)[0]) == {"prompt", "completion", "label"}
    assert service.usable().kto == len(found)


def test_corrections_for_sft(store: Store, service: VoteService, tmp_path: Path) -> None:
    tuned(store)
    path = tmp_path / "corrections.jsonl"
    service.export(path, Format.SFT)
    assert [row["messages"][-1]["content"] for row in lines(path)] == ["best", "rescue", "own words"]
    assert [row["role"] for row in lines(path)[0]["messages"]] == ["user", "assistant"]
    assert service.usable().sft == 3


def test_what_was_deleted_is_written_into_no_file(store: Store, service: VoteService, tmp_path: Path) -> None:
    made = tuned(store)
    store.experiments.delete(made["left"].experiment_id).result()
    for kind in (Format.DPO, Format.KTO, Format.SFT):
        assert service.export(tmp_path / "x.jsonl", kind).rows == 0
    assert (tmp_path / "x.jsonl").read_bytes() == b""


def test_a_file_that_is_there_stays_until_all_is_written(
    store: Store, service: VoteService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.votes.cast(vote()).result()
    path = table(tmp_path, "before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(columns, "cells", full)
    with pytest.raises(InvalidRequest, match="No space left"):
        service.export(path, Format.CSV)
    assert path.read_text() == "before"
    assert entries(tmp_path) == ["data", "votes.csv"]
