"""What the result pages say of pairs and experiments. No Qt."""

import unicodedata
from collections.abc import Mapping, Sequence

from codette_desktop.domain.duels import Ending, Experiment, StoppingRule
from codette_desktop.gui.i18n import number, tr
from codette_desktop.rating.intervals import Interval
from codette_desktop.rating.leaderboard import Leaderboard
from codette_desktop.rating.projection import FURTHEST
from codette_desktop.rating.verdict import FEWEST_DECISIVE, Conclusion, PairVerdict, State

MOST_NAMED = 3  # contestants that a sentence names before it only counts them


# Figures


def percent(share: float) -> str:
    """ "64 %", the two never parted."""
    return tr("{n}\N{NO-BREAK SPACE}%", n=number(100 * share))


def span(found: Interval, scale: float = 100) -> str:
    """ "55 to 72": the bounds, in per cent unless `scale` is 1."""
    return tr("{low} to {high}", low=signed(scale * found.low), high=signed(scale * found.high))


def signed(value: float) -> str:
    """A whole number with a real minus sign, and never "−0"."""
    text = number(round(value))
    return text.replace("-", "\N{MINUS SIGN}")


def share_text(found: Interval) -> str:
    """ "64 % (55 to 72)"."""
    return f"{percent(found.value)} ({span(found)})"


def votes_text(count: int) -> str:
    """ "1 vote", "2 votes"."""
    return tr("1 vote") if count == 1 else tr("{count} votes", count=number(count))


def cast_text(votes: int, equal: int) -> str:
    """ "17 votes and 2 equal pairs": of all `votes` that count, `equal` are ties that nobody was asked for."""
    count = votes_text(votes - equal)
    if not equal:
        return count
    return f"{count} " + (tr("and 1 equal pair") if equal == 1 else tr("and {n} equal pairs", n=number(equal)))


def listed(names: Sequence[str]) -> str:
    """ "A, B and C"."""
    if len(names) < 2:
        return "".join(names)
    return tr("{most} and {last}", most=", ".join(names[:-1]), last=names[-1])


# One pair


def state_word(state: State) -> str:
    """How far a pair has come, in a word or two."""
    return {
        State.TOO_EARLY: tr("too early"),
        State.LEANING: tr("leaning"),
        State.SETTLED: tr("settled"),
        State.EQUALLY_GOOD: tr("equally good"),
    }[state]


def state_tip(state: State) -> str:
    """What that word means."""
    return {
        State.TOO_EARLY: tr("Fewer than {n} votes decided for one of the two.", n=FEWEST_DECISIVE),
        State.LEANING: tr("One may be ahead, but it could still be chance."),
        State.SETTLED: tr("One is preferred, and it is not chance."),
        State.EQUALLY_GOOD: tr("Whatever difference there is, it is too small to matter."),
    }[state]


def pair_sentence(pair: PairVerdict, labels: Sequence[str], margin: float | None = None) -> str:
    """One sentence or two on a pair, with its figures; `labels` are those of all contestants, by place."""
    first, second = labels[pair.first], labels[pair.second]
    if pair.state is State.TOO_EARLY:
        return tr(
            "Too early to say: {n} of at least {least} deciding votes.",
            n=number(pair.count.decisive), least=number(FEWEST_DECISIVE),
        )  # fmt: skip
    if pair.state is State.EQUALLY_GOOD:
        within = margin_span(margin) if margin is not None else span(pair.mean)
        return tr(
            "{first} and {second} are equally good: the share of wins lies within {span}\N{NO-BREAK SPACE}%.",
            first=first, second=second, span=within,
        )  # fmt: skip
    if pair.ahead is None:
        return tr(
            "Neither is ahead: {first} and {second} have as many votes. It could go either way.",
            first=first, second=second,
        )  # fmt: skip
    winner, loser = (first, second) if pair.ahead == pair.first else (second, first)
    share = share_text(pair.share if pair.ahead == pair.first else pair.share.reversed())
    if pair.state is State.SETTLED:
        return tr(
            "{winner} is preferred to {loser}: {share} of the votes that decided, settled.",
            winner=winner, loser=loser, share=share,
        )  # fmt: skip
    return tr(
        "Leaning towards {winner}: {share} of the votes that decided. It could still be chance.",
        winner=winner, share=share,
    )  # fmt: skip


def margin_span(margin: float) -> str:
    """ "40 to 60" for a margin of 0.1."""
    return span(Interval(0.5, 0.5 - margin, 0.5 + margin))


def more_votes_text(count: int | None) -> str:
    """How long it takes at this rate; "" where it is decided. None stands for more than 1,000."""
    if count is None:
        return tr("More than {count} more votes at this rate: they may be equally good.", count=number(FURTHEST))
    if count <= 0:
        return ""
    if count == 1:
        return tr("About 1 more vote at this rate.")
    return tr("About {count} more votes at this rate.", count=number(count))


def counts_text(pair: PairVerdict, labels: Sequence[str]) -> str:
    """All votes of a pair, both-bad ones apart."""
    count = pair.count
    parts = [
        tr("{name} better: {n}", name=labels[pair.first], n=number(count.wins)),
        tr("{name} better: {n}", name=labels[pair.second], n=number(count.losses)),
        tr("ties: {n}", n=number(count.ties)),
        tr("both bad: {n}", n=number(count.both_bad)),
    ]
    return " · ".join(parts)


def pair_tip(pair: PairVerdict, row: int, labels: Sequence[str], margin: float | None = None) -> str:
    """All that is known of a cell of the pair matrix; `row` is the place whose chance it tells."""
    column = pair.second if row == pair.first else pair.first
    found = pair.probability if row == pair.first else pair.probability.reversed()
    lines = [
        tr("{row} beats {column} with a chance of {share}.", row=labels[row], column=labels[column],
           share=share_text(found)),
        pair_sentence(pair, labels, margin),
        more_votes_text(pair.more_votes),
        counts_text(pair, labels),
    ]  # fmt: skip
    return "\n".join(line for line in lines if line)


# An experiment


def headline(experiment: Experiment, conclusion: Conclusion, board: Leaderboard) -> str:
    """The verdict: of two contestants that of the pair, of more who leads and how much of it is settled."""
    labels = [isolated(item.label) for item in experiment.contestants]
    if len(labels) == 2 and conclusion.pairs:
        return pair_sentence(conclusion.pairs[0], labels, experiment.rule.margin)
    if not conclusion.votes:
        return tr("Too early to say: no votes yet.")
    if conclusion.pairs and all(pair.state is State.EQUALLY_GOOD for pair in conclusion.pairs):
        return tr("All {n} are equally good.", n=number(len(labels)))
    if all(pair.state is State.TOO_EARLY for pair in conclusion.pairs):
        return tr("Too early to say who leads: no pair has {n} deciding votes yet.", n=number(FEWEST_DECISIVE))
    return _leader_sentence(_leader(experiment, conclusion, board), conclusion, labels)


def _leader(experiment: Experiment, conclusion: Conclusion, board: Leaderboard) -> int:
    """The highest rating among those to whom nobody is preferred; the highest of all where there is none."""
    places = {item.key: place for place, item in enumerate(experiment.contestants)}
    order = [places[item.contestant.key] for item in board.standings if item.contestant.key in places]
    beaten = {_other(pair, pair.winner) for pair in conclusion.pairs if pair.winner is not None}
    return next((place for place in order if place not in beaten), order[0] if order else 0)


def _leader_sentence(place: int, conclusion: Conclusion, labels: Sequence[str]) -> str:
    own = [pair for pair in conclusion.pairs if place in (pair.first, pair.second)]
    won = [pair for pair in own if pair.winner == place]
    leader, rest = labels[place], len(labels) - 1
    if len(won) == rest:
        return tr("{leader} is the best of the {n}: preferred to each of the others, settled.",
                  leader=leader, n=number(len(labels)))  # fmt: skip
    equal = [_other(pair, place) for pair in own if pair.state is State.EQUALLY_GOOD]
    open_ = [_other(pair, place) for pair in own if pair.state in (State.LEANING, State.TOO_EARLY)]
    if not won and not equal:
        return tr("{leader} leads so far, but nothing about it is settled yet.", leader=leader)
    parts = (
        [tr("preferred to {names}, settled", names=_named([_other(pair, place) for pair in won], labels))]
        if won
        else []
    )
    if equal:
        parts.append(tr("as good as {names}", names=_named(equal, labels)))
    if open_:
        parts.append(tr("not settled against {names}", names=_named(open_, labels)))
    said = "; ".join(parts)
    if not won:
        return tr("{leader} leads so far: {parts}.", leader=leader, parts=said)
    return tr("{leader} leads: {parts}.", leader=leader, parts=said)


def _other(pair: PairVerdict, place: int) -> int:
    return pair.second if place == pair.first else pair.first


def _named(places: Sequence[int], labels: Sequence[str]) -> str:
    if len(places) > MOST_NAMED:
        return tr("{n} others", n=number(len(places)))
    return listed([labels[place] for place in places])


def progress_text(experiment: Experiment, conclusion: Conclusion, equal: int = 0, *, used_up: bool = False) -> str:
    """How far it is: votes, pairs that are decided, and about how many votes are still to come, unless the prompts
    are `used_up`. `equal` of the votes are ties that nobody was asked for."""
    votes = capital(cast_text(conclusion.votes, equal))
    parts = [tr("{votes}.", votes=votes) if experiment.ending else tr("{votes} so far.", votes=votes)]
    count = len(conclusion.pairs)
    if count > 1 and conclusion.settled == 1:
        parts.append(tr("1 of {count} pairs is decided.", count=number(count)))
    elif count > 1:
        parts.append(tr("{n} of {count} pairs are decided.", n=number(conclusion.settled), count=number(count)))
    if experiment.ending is None:
        parts += [used_up_text()] if used_up else _further(conclusion)
    return " ".join(part for part in parts if part)


def used_up_text() -> str:
    """Nothing is left to ask, though the rule is not met."""
    return tr("Every pair has met on every prompt. Begin another experiment with more prompts to go on.")


def _further(conclusion: Conclusion) -> list[str]:
    """How many votes it takes at this rate; and the rule's own end, where that comes first."""
    if len(conclusion.pairs) != 1:
        return [more_votes_text(conclusion.more_votes)]
    wanted = conclusion.pairs[0].more_votes
    parts = [more_votes_text(wanted)]
    if conclusion.more_votes and (wanted is None or wanted > conclusion.more_votes):
        parts.append(tr("Its rule ends it after {votes} more.", votes=votes_text(conclusion.more_votes)))
    return parts


def isolated(label: str) -> str:
    """A name within a sentence: one that runs from right to left must not turn the words around it."""
    if any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in label):
        # Qt looks into the isolate for the direction of the whole text, so that a mark goes before it.
        return f"\N{LEFT-TO-RIGHT MARK}\N{FIRST STRONG ISOLATE}{label}\N{POP DIRECTIONAL ISOLATE}"
    return label


def capital(text: str) -> str:
    """With a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def ending_text(experiment: Experiment) -> str:
    """Why it has ended; "" while it goes on."""
    match experiment.ending:
        case Ending.SETTLED:
            return (
                tr("It has ended: the question is decided.")
                if len(experiment.contestants) == 2
                else tr("It has ended: every pair is decided.")
            )
        case Ending.MOST_VOTES:
            return tr("It has ended: the {votes} that were fixed as the most have been cast.",
                      votes=votes_text(experiment.rule.most_votes))  # fmt: skip
        case Ending.STOPPED:
            return tr("You ended it before its rule was met: the verdict stands at what it is worth.")
        case _:
            return ""


def rule_text(rule: StoppingRule, contestants: int = 2) -> str:
    """When an experiment ends, as it was fixed at its start."""
    until = (
        tr("Fixed at the start: it ends when one is clearly preferred, or after {votes} at the latest.",
           votes=votes_text(rule.most_votes))
        if contestants == 2
        else tr("Fixed at the start: it ends when every pair is decided, or after {votes} at the latest.",
                votes=votes_text(rule.most_votes))
    )  # fmt: skip
    if rule.margin is not None and contestants == 2:
        until = tr("Fixed at the start: it ends when one is clearly preferred or both are equally good, or after "
                   "{votes} at the latest.", votes=votes_text(rule.most_votes))  # fmt: skip
    parts = [until, tr("The chance of a wrong verdict is at most {share}, however often one looks.",
                       share=percent(rule.alpha))]  # fmt: skip
    if rule.margin is not None:
        parts.append(
            tr("Equally good means: the share of wins lies within {span}\N{NO-BREAK SPACE}%, a tie being half a win.",
               span=margin_span(rule.margin))
        )  # fmt: skip
    return " ".join(parts)


def usable_text(usable: Mapping[str, int]) -> str:
    """What tuning can take of the votes: "42 preference pairs for DPO, 80 labelled answers for KTO, ..."."""
    pairs, labels, texts = (usable.get(kind, 0) for kind in ("dpo", "kto", "sft"))
    parts = [
        tr("1 preference pair for DPO") if pairs == 1 else tr("{n} preference pairs for DPO", n=number(pairs)),
        tr("1 labelled answer for KTO") if labels == 1 else tr("{n} labelled answers for KTO", n=number(labels)),
        tr("1 correction for SFT") if texts == 1 else tr("{n} corrections for SFT", n=number(texts)),
    ]
    return ", ".join(parts) + "."


def identical_text(count: int) -> str:
    """Ties nobody was asked for; "" where there are none."""
    if not count:
        return ""
    if count == 1:
        return tr("In 1 duel both answers were equal word for word: a tie, and you were not asked.")
    return tr("In {n} duels both answers were equal word for word: ties, and you were not asked.", n=number(count))
