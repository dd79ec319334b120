"""`votes`, `experiments`, `leaderboard` and what `doctor` says of the trail, in this process."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from codette_desktop.cli import main
from codette_desktop.domain.duels import Ending
from codette_desktop.domain.votes import Preference, Source
from codette_desktop.store import Store
from tests.support.voting import ADA, BOB, CYD, duel, experiment, vote, vote_on


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def run_json(*arguments: str, status: int = 0) -> dict[str, Any]:
    ended, printed, told = run(*arguments, "--json")
    assert ended == status, told
    return json.loads(printed)


def voted(home: Path) -> str:
    """An experiment of twelve duels that Ada wins, another contestant, and a vote that was taken back."""
    with Store.open(home) as store:
        of = experiment(store, ADA, BOB, CYD)
        for number in range(12):
            made = duel(store, of, f"prompt {number}", (f"good {number}", f"bad {number}"))
            store.votes.cast(vote_on(made, Preference.LEFT, correction="best" if number == 3 else "")).result()
        store.votes.take_back(store.votes.cast(vote(id="back")).result().id).result()
        return of.id


def test_votes_are_listed_and_taken_back(codette_home: Path) -> None:
    of = voted(codette_home)
    found = run_json("votes", "list", "--experiment", of)["votes"]
    assert len(found) == 12
    first = found[0]
    assert (first["left"], first["right"], first["preference"], first["counts"]) == (ADA.label, BOB.label, "left", True)
    assert len(run_json("votes", "list", "--limit", "5")["votes"]) == 5
    assert "(taken back)" in run("votes", "list")[1]
    assert run_json("votes", "list", "--task", "none") == {"votes": []}
    back = run_json("votes", "take-back", first["id"])
    assert (back["id"], back["counts"], bool(back["taken_back_at"])) == (first["id"], False, True)
    for id_, says in ((first["id"], "taken back already"), ("none", "no such vote")):
        status, _, told = run("votes", "take-back", id_)
        assert (status, says in told) == (1, True)
    assert run_json("leaderboard")["votes"] == 11


def test_the_leaderboard_rates_and_says_what_is_settled(codette_home: Path) -> None:
    empty = run("leaderboard")
    assert (empty[0], "no votes that count yet" in empty[1]) == (0, True)
    assert run_json("leaderboard")["standings"] == []
    of = voted(codette_home)
    found = run_json("leaderboard", "--experiment", of)
    assert [(item["label"], item["wins"], item["losses"]) for item in found["standings"]] == [
        (ADA.label, 12, 0), (BOB.label, 0, 12),
    ]  # fmt: skip
    (pair,) = found["pairs"]
    assert (pair["state"], pair["settled"], pair["wins"], pair["more_votes"]) == ("settled", True, 12, 0)
    assert pair["share_low"] > 0.5
    assert pair["evidence"] > pair["needed"]
    page = run("leaderboard")[1]
    assert f"{ADA.label} is preferred to {BOB.label}" in page
    assert "1 vote taken back" in page
    assert run_json("leaderboard", "--source", "imported", "--source", "compare")["votes"] == 0
    assert run_json("leaderboard", "--task", "code", "--since", "2026-04-30")["votes"] == 12
    assert run_json("leaderboard", "--since", "2026-05-03")["votes"] == 0
    assert run_json("leaderboard", "--control", "position")["missing_votes"] == 8
    assert run("leaderboard", "--since", "yesterday")[0] == 2


def test_votes_travel_as_tables_and_as_lines(codette_home: Path, tmp_path: Path) -> None:
    voted(codette_home)
    table, pairs = tmp_path / "votes.csv", tmp_path / "pairs.jsonl"
    assert run_json("votes", "export", str(table)) == {"rows": 12, "left_out": 0, "why": {}, "out": str(table)}
    assert table.read_text(encoding="utf-8-sig").startswith("model_a,model_b,winner,cast_at,")
    assert run_json("votes", "export", str(table), "--all")["rows"] == 13
    other = ("--data-dir", str(tmp_path / "other"))
    assert run_json("votes", "import", str(table), *other)["votes"] == 12
    assert len(run_json("leaderboard", "--source", "imported", *other)["standings"]) == 2
    status, _, told = run("votes", "import", str(table), *other)
    assert (status, "imported already" in told) == (1, True)
    status, printed, told = run("votes", "import", str(table))
    assert (status, "0 votes were imported" in printed, "12 votes of it had been kept" in told) == (
        0,
        True,
        True,
    )
    done = run_json("votes", "export", str(pairs), "--format", "dpo")
    assert (done["rows"], done["why"]) == (12, {"taken back": 1})
    assert run_json("votes", "export", str(pairs), "--format", "sft")["rows"] == 1
    assert "24 rows" in run("votes", "export", str(pairs), "--format", "kto")[1]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("votes", "export", "x.jsonl", "--format", "dpo", "--all"), 2, "--all belongs"),
        (("votes", "export", "none/x.csv"), 1, "does not exist"),
        (("votes", "export", "."), 1, "cannot be written"),
        (("votes", "import", "none.csv"), 1, "cannot be read"),
        (("votes", "import", "."), 1, "cannot be read"),
        (("experiments", "show", "none"), 1, "no longer exists"),
        (("experiments", "export", "none", "x.json"), 1, "no longer exists"),
    ],
)
def test_what_cannot_be_done_is_told(arguments: tuple[str, ...], status: int, says: str) -> None:
    ended, _, told = run(*arguments)
    assert (ended, says in told) == (status, True)


def test_a_filter_that_nothing_fits_is_told_from_no_votes(codette_home: Path) -> None:
    assert "There are no votes yet." in run("votes", "list")[1]
    voted(codette_home)
    assert "No vote fits." in run("votes", "list", "--task", "none")[1]
    assert "No vote that counts fits." in run("leaderboard", "--task", "none")[1]
    assert "1 vote taken back." in run("leaderboard")[1]


def test_ties_nobody_was_asked_for_are_told_apart(codette_home: Path) -> None:
    assert "no experiment yet" in run("experiments", "list")[1]
    of = voted(codette_home)
    with Store.open(codette_home) as store:
        asked = store.experiments.get(of)
        assert asked is not None
        for number in range(3):
            made = duel(store, asked, f"same {number}", ("same", "same"))
            store.votes.cast(vote_on(made, Preference.TIE, source=Source.IDENTICAL)).result()
    (listed,) = run_json("experiments", "list")["experiments"]
    assert (listed["votes"], listed["equal"]) == (15, 3)
    assert "   12 votes" in run("experiments", "list")[1]
    assert "3 votes of these: both answers were equal" in run("leaderboard")[1]
    assert run_json("leaderboard", "--source", "duel")["equal"] == 0
    page = run("experiments", "show", of)[1]
    assert "12 of at most 50 votes" in page
    assert "3 pairs of answers were equal word for word" in page


def test_experiments_are_listed_shown_and_written(codette_home: Path, tmp_path: Path) -> None:
    assert run_json("experiments", "list") == {"experiments": []}
    of = voted(codette_home)
    (listed,) = run_json("experiments", "list")["experiments"]
    assert (listed["id"], listed["state"], listed["votes"], len(listed["pairs"])) == (of, "going on", 12, 3)
    assert listed["rule"] == {"most_votes": 50, "alpha": 0.01, "margin": None}
    assert "Which is better?" in run("experiments", "list")[1]
    page = run("experiments", "show", of)[1]
    assert f"{ADA.label} is preferred to {BOB.label}" in page
    assert f"{ADA.label} and {CYD.label}: Too early" in page
    with Store.open(codette_home) as store:
        store.experiments.end(of, Ending.STOPPED).result()
    assert run_json("experiments", "show", of)["state"] == "stopped"
    out = tmp_path / "experiment.json"
    assert run_json("experiments", "export", of, str(out))["votes"] == 12
    whole = json.loads(out.read_text(encoding="utf-8"))
    assert whole["prompts"] == ["How much?", "Why \U0001f680?"]
    assert whole["contestants"][0]["members"][0]["system"] == "You are careful."
    assert len(whole["votes"][0]["answers"]) == 2
    assert run("experiments", "export", of, str(tmp_path / "none" / "x.json"))[0] == 1


def test_the_doctor_and_verify_tell_of_votes_that_were_changed(codette_home: Path) -> None:
    assert run_json("doctor")["audit"] == {"entries": 0, "whole": True, "first_broken": None, "problems": []}
    voted(codette_home)
    assert run_json("votes", "verify")["whole"] is True
    assert "nothing was changed" in run("votes", "verify")[1]
    assert "18 audit entries, as they were written" in run("doctor")[1]
    with closing(sqlite3.connect(codette_home / "codette.sqlite3")) as connection, connection:
        connection.execute("UPDATE votes SET preference = 'right' WHERE id <> 'back'")
    found = run_json("doctor")
    assert (found["audit"]["whole"], found["audit"]["first_broken"], found["healthy"]) == (False, 5, True)
    assert len([item for item in found["findings"] if "was changed in the database" in item["what"]]) == 5
    assert any("7 more things" in item["what"] for item in found["findings"])
    page = run("doctor")[1]
    assert "NOT as they were written" in page
    assert "Another program wrote into the database" in page
    broken = run_json("votes", "verify", status=1)
    assert (len(broken["problems"]), broken["problems"][0]["fault"]) == (12, "row changed")


def test_a_copy_that_was_put_back_is_accepted_once_it_is_said(codette_home: Path) -> None:
    voted(codette_home)
    with closing(sqlite3.connect(codette_home / "codette.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM audit WHERE seq > 16")
        connection.execute("DELETE FROM votes WHERE id = 'back'")
    found = run_json("doctor")
    assert any("votes verify --accept" in item["mend"] for item in found["findings"])
    assert run_json("votes", "verify", status=1)["problems"][0]["fault"] == "cut off"
    assert run_json("votes", "verify", "--accept")["whole"] is True
    assert run_json("votes", "verify")["head"] == 17
