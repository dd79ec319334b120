"""What is said of verdicts and votes, word for word."""

from dataclasses import replace

import pytest

from codette_desktop.domain.duels import Ending, StoppingRule
from codette_desktop.domain.tasks import TaskType
from codette_desktop.domain.votes import Exclusion, Preference, Source, VoteFilter
from codette_desktop.gui.tabs.rate import board_wording, vote_wording, wording
from codette_desktop.rating.ballots import REASONS
from codette_desktop.rating.intervals import Interval
from codette_desktop.rating.position import PositionCheck
from codette_desktop.rating.support import Support
from codette_desktop.rating.verdict import PairVerdict, State
from tests.support import rated_votes as made

LABELS = ("Q8", "Q4")


def pair(wins: int, losses: int, ties: int = 0, margin: float | None = 0.1) -> PairVerdict:
    rule = StoppingRule(margin=margin)
    votes = made.tally(made.contestants(2, LABELS), made.pair_votes(wins, losses, ties))
    return made.found(votes, rule)[0].pairs[0]


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def sentence(found: PairVerdict, margin: float | None = 0.1) -> str:
    return plain(wording.pair_sentence(found, LABELS, margin))


def test_a_settled_pair_names_the_preferred_one_whichever_stands_first() -> None:
    assert sentence(pair(40, 14)) == "Q8 is preferred to Q4: 74 % (53 to 89) of the votes that decided, settled."
    assert sentence(pair(14, 40)) == "Q4 is preferred to Q8: 74 % (53 to 89) of the votes that decided, settled."


def test_a_leaning_pair_says_that_it_could_be_chance() -> None:
    said = sentence(pair(9, 14))
    assert said.startswith("Leaning towards Q4: 61 % (")
    assert said.endswith("It could still be chance.")


def test_level_pairs_lean_nowhere() -> None:
    assert "Neither is ahead" in sentence(pair(8, 8))


def test_too_early_says_how_many_votes_decided() -> None:
    assert sentence(pair(4, 2, 9)) == "Too early to say: 6 of at least 10 deciding votes."


def test_equally_good_says_within_what() -> None:
    said = sentence(pair(60, 60, 150))
    assert said == "Q8 and Q4 are equally good: the share of wins lies within 40 to 60 %."


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""),
        (1, "About 1 more vote at this rate."),
        (30, "About 30 more votes at this rate."),
        (None, "More than 1,000 more votes at this rate: they may be equally good."),
    ],
)
def test_votes_still_to_come(count: int | None, text: str) -> None:
    assert wording.more_votes_text(count) == text


def headline(count: int, votes: list[tuple[int, int, float]]) -> str:
    who = made.contestants(count, ("A", "B", "C", "D", "E", "F"))
    rule = StoppingRule(most_votes=10_000)
    return wording.headline(made.experiment(who, rule), *made.found(made.tally(who, votes), rule))


def duels(first: int, second: int, wins: int, losses: int, ties: int = 0) -> list[tuple[int, int, float]]:
    return [(first, second, 1.0)] * wins + [(first, second, 0.0)] * losses + [(second, first, 0.5)] * ties


def test_of_three_the_best_is_named_when_all_is_settled() -> None:
    votes = duels(0, 1, 50, 10) + duels(0, 2, 50, 10) + duels(1, 2, 5, 5)
    assert headline(3, votes) == "A is the best of the 3: preferred to each of the others, settled."


def test_of_three_the_sentence_says_what_is_settled_and_what_is_not() -> None:
    votes = duels(0, 1, 50, 10) + duels(0, 2, 12, 8) + duels(1, 2, 5, 5)
    assert headline(3, votes) == "A leads: preferred to B, settled; not settled against C."


def test_of_three_that_are_equal_none_leads() -> None:
    votes = [vote for pair in ((0, 1), (0, 2), (1, 2)) for vote in duels(*pair, 80, 80, 200)]
    assert headline(3, votes) == "All 3 are equally good."


def test_a_leader_with_an_equal_and_many_open_pairs() -> None:
    votes = duels(0, 1, 80, 80, 200) + [vote for at in range(2, 6) for vote in duels(0, at, 12, 8)]
    assert headline(6, votes) == "A leads so far: as good as B; not settled against 4 others."


def test_without_enough_votes_nobody_leads() -> None:
    assert headline(3, []) == "Too early to say: no votes yet."
    assert headline(3, duels(0, 1, 4, 1)) == "Too early to say who leads: no pair has 10 deciding votes yet."
    assert headline(3, duels(0, 1, 9, 4)) == "A leads so far, but nothing about it is settled yet."


def test_one_to_whom_another_is_preferred_does_not_lead() -> None:
    votes = duels(1, 0, 50, 10) + duels(0, 2, 9, 0) + duels(1, 2, 5, 5)
    assert headline(3, votes).startswith("B leads")


def progress(votes: list[tuple[int, int, float]], rule: StoppingRule, ending: Ending | None = None) -> str:
    who = made.contestants(2, LABELS)
    conclusion, _board = made.found(made.tally(who, votes), rule)
    return wording.progress_text(made.experiment(who, rule, ending), conclusion)


def test_the_rule_is_named_where_it_ends_before_the_question_is_settled() -> None:
    assert progress(made.pair_votes(1, 0), StoppingRule(most_votes=2)).endswith("Its rule ends it after 1 vote more.")
    assert "Its rule" not in progress(made.pair_votes(12, 4), StoppingRule(most_votes=5000))


def test_ties_that_nobody_was_asked_for_are_no_votes_of_the_person() -> None:
    who = made.contestants(2, LABELS)
    conclusion, _board = made.found(made.tally(who, made.pair_votes(1, 0, 5)), StoppingRule())
    ended, going = (made.experiment(who, StoppingRule(), ending) for ending in (Ending.STOPPED, None))
    assert wording.progress_text(ended, conclusion, 5) == "1 vote and 5 equal pairs."
    assert wording.progress_text(going, conclusion, 1).startswith("5 votes and 1 equal pair so far. ")


def test_used_up_prompts_are_told_instead_of_votes_to_come() -> None:
    who = made.contestants(2, LABELS)
    conclusion, _board = made.found(made.tally(who, made.pair_votes(2, 1)), StoppingRule())
    text = wording.progress_text(made.experiment(who, StoppingRule()), conclusion, used_up=True)
    assert text == f"3 votes so far. {wording.used_up_text()}"


def test_an_ended_experiment_speaks_of_no_more_votes() -> None:
    assert progress(made.pair_votes(1, 0), StoppingRule(), Ending.STOPPED) == "1 vote."
    assert progress([], StoppingRule(), Ending.STOPPED) == "0 votes."


@pytest.mark.parametrize(
    ("ending", "count", "text"),
    [
        (None, 2, ""),
        (Ending.SETTLED, 2, "It has ended: the question is decided."),
        (Ending.SETTLED, 3, "It has ended: every pair is decided."),
        (Ending.MOST_VOTES, 2, "It has ended: the 300 votes that were fixed as the most have been cast."),
        (Ending.STOPPED, 2, "You ended it before its rule was met: the verdict stands at what it is worth."),
    ],
)
def test_why_an_experiment_ended(ending: Ending | None, count: int, text: str) -> None:
    assert wording.ending_text(made.experiment(made.contestants(count), ending=ending)) == text


def test_the_rule_in_words() -> None:
    said = plain(wording.rule_text(StoppingRule(most_votes=1, alpha=0.01), 2))
    assert "or after 1 vote at the latest" in said
    assert "at most 1 %" in said
    assert "within 40 to 60 %" in said
    assert "equally good" not in wording.rule_text(StoppingRule(margin=None), 2).lower()
    assert "every pair is decided" in wording.rule_text(StoppingRule(), 3)


def test_what_was_left_out_and_why() -> None:
    excluded = ((Exclusion.NAMED, 2), (Exclusion.NOT_BLIND, 1), (Exclusion.SEEN, 0))
    assert board_wording.left_out_text(excluded, 1) == (
        "3 votes count for nothing here: an answer named itself (2), names were in sight (1); 1 was taken back."
    )
    assert board_wording.left_out_text(((Exclusion.SEEN, 1),), 0) == (
        "1 vote counts for nothing here: cast anew after the names were shown (1)."
    )
    assert board_wording.left_out_text((), 2) == "No vote was left out; 2 were taken back."
    assert board_wording.left_out_text((), 0) == "No vote was left out."


def test_the_side() -> None:
    share = Interval(0.7, 0.6, 0.8)
    assert "Too few" in board_wording.position_text(PositionCheck(3, 2, share, 1.0, biased=False))
    assert "No vote" in board_wording.position_text(PositionCheck(0, 0, share, 1.0, biased=False))
    said = plain(board_wording.position_text(PositionCheck(70, 30, share, 99.0, biased=True)))
    assert said.startswith("The left answer won 70 of 100 votes that decided: 70 % (60 to 80).")
    assert "prefer the left side" in said
    assert "prefer the right side" in board_wording.position_text(
        PositionCheck(30, 70, share.reversed(), 99.0, biased=True)
    )
    assert "No sign" in board_wording.position_text(PositionCheck(50, 50, share, 1.0, biased=False))


def test_what_tuning_can_take() -> None:
    assert wording.usable_text({"dpo": 42, "kto": 80, "sft": 3}) == (
        "42 preference pairs for DPO, 80 labelled answers for KTO, 3 corrections for SFT."
    )
    assert wording.usable_text({"dpo": 1, "kto": 1, "sft": 1}) == (
        "1 preference pair for DPO, 1 labelled answer for KTO, 1 correction for SFT."
    )


def test_figures_are_written_with_a_real_minus_and_without_minus_nought() -> None:
    assert wording.signed(-12.4) == "\N{MINUS SIGN}12"
    assert wording.signed(-0.2) == "0"
    assert wording.signed(1234) == "1,234"


def test_a_name_from_right_to_left_does_not_turn_the_sentence() -> None:
    assert wording.isolated("Guide M") == "Guide M"
    assert wording.isolated(made.ODD_LABELS[0]).startswith("\N{LEFT-TO-RIGHT MARK}")


def test_every_word_there_is() -> None:
    assert all(wording.state_word(state) and wording.state_tip(state) for state in State)
    assert all(bool(board_wording.exclusion_word(why)) == (why is not Exclusion.NONE) for why in Exclusion)
    assert all(bool(board_wording.support_text(item)) == (item is not Support.RATED) for item in Support)
    assert all(bool(board_wording.support_tip(item)) == (item is not Support.RATED) for item in Support)
    assert all(vote_wording.preference_word(item) for item in Preference)
    assert all(vote_wording.source_word(item) for item in Source)
    assert all(vote_wording.reason_word(tag) != tag for tag in REASONS if tag != "clear")
    assert all(board_wording.task_name(task) != task.value for task in TaskType)


def test_a_vote_in_words() -> None:
    vote = made.vote(0)
    left, right = vote.left.contestant.label, vote.right.contestant.label if vote.right else ""
    assert vote_wording.vote_sentence(vote) == f"{left} is better than {right}"
    assert vote_wording.vote_sentence(replace(vote, preference=Preference.RIGHT)) == f"{right} is better than {left}"
    assert vote_wording.vote_sentence(replace(vote, preference=Preference.UP, right=None)) == f"{left}: good"
    assert vote_wording.counts_word(vote) == "counts"
    assert vote_wording.counts_word(replace(vote, taken_back_at=made.BEGAN)) == "taken back"
    assert vote_wording.counts_word(replace(vote, exclusion=Exclusion.NAMED)) == "an answer named itself"
    assert vote_wording.counts_word(replace(vote, right=None)) == "one answer alone"
    assert vote_wording.seconds_text(None) == "–"
    assert vote_wording.seconds_text(125) == "2 min 05 s"


def test_all_that_is_stored_can_be_copied() -> None:
    vote = replace(made.vote(1), correction="Better so.", leaks=("Guide",), exclusion=Exclusion.NAMED)
    text = vote_wording.facts_as_text(vote, made.BEGAN.date())
    for stored in (
        vote.id, vote.duel_id, vote.experiment_id, vote.prompt_hash, str(vote.seed), "Guide", "Better so.", "clearer",
        vote.left.contestant.files[0], vote.left.contestant.key, vote.left.message_hash, "llama.cpp b4500",
        "CPU · 1 thread", "96 tokens", "412 characters", "Temperature 0.7", "the second of the pair stood left", "99",
    ):  # fmt: skip
        assert stored in text


def test_what_a_filter_lets_through() -> None:
    votes = VoteFilter(
        experiment_id="e", task="coding", since=made.BEGAN, pair=("a", "b"), contestant="a", contestants=("a", "b"),
        sources=(Source.DUEL,), blind=True,
    )  # fmt: skip
    names = {"a": "A", "b": "B", "e": "Which?"}
    assert vote_wording.filter_words(votes, names) == [
        "Experiment: Which?", "A against B", "With A", "Among A, B", "Task: Coding", "Since 02 Nov 2026",
        "From: duel", "Only those that count",
    ]  # fmt: skip
    assert vote_wording.filter_words(VoteFilter(), {}) == []
