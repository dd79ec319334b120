"""What may be concluded from an experiment's votes, where some of them were ties that nobody had to be asked for."""

from collections import Counter
from dataclasses import dataclass, replace
from math import comb

from codette_desktop.domain.duels import Experiment, StoppingRule
from codette_desktop.domain.votes import Source, Tally, VoteFilter
from codette_desktop.rating.counts import among
from codette_desktop.rating.verdict import Conclusion, conclude
from codette_desktop.store import Store

FEWEST_READ = 10  # duels the person has judged before two may be called equally good


@dataclass(frozen=True, slots=True)
class Concluded:
    """The votes of an experiment that count, and what may be concluded from them.

    `equal` of them are ties of equal answers that nobody was asked for. `rule` is the experiment's as it applies now.
    """

    tally: Tally
    conclusion: Conclusion
    equal: int
    rule: StoppingRule


def conclusion(store: Store, experiment: Experiment) -> Concluded:
    """The votes of an experiment that count, and what may be concluded from them. Blocking. Raises StoreError.

    Its rule bounds the votes of the person: ties of equal answers come on top of them. Nor do these alone make two
    equally good: the person has judged some pairs that differ, or all that there can be.
    """
    only = VoteFilter(experiment_id=experiment.id)  # not only blind ones: how many do not count is told
    tally = among(store.votes.tally(only), experiment.contestants)
    equal = store.votes.count(replace(only, sources=(Source.IDENTICAL,), blind=True))
    rule = replace(experiment.rule, most_votes=experiment.rule.most_votes + equal)
    read = len(tally.outcome) - equal
    if read < min(FEWEST_READ, comb(len(experiment.contestants), 2) * len(experiment.prompts) - equal):
        rule = replace(rule, margin=None)
    return Concluded(tally, conclude(tally, rule), equal, rule)


def used_up(store: Store, experiment: Experiment, standing: Conclusion) -> bool:
    """Whether no duel is left though the rule is not met: each pair in question has met on every prompt, and all of
    that has been voted on. Blocking. Raises StoreError."""
    if standing.ending is not None or store.duels.count_waiting(experiment.id):
        return False
    met = Counter(pair for pair, _prompt in store.duels.asked(experiment.id))
    keys = [item.key for item in experiment.contestants]
    open_ = [pair for pair in standing.pairs if pair.more_votes != 0]
    prompts = len(set(experiment.prompts))
    return all(met[frozenset((keys[pair.first], keys[pair.second]))] >= prompts for pair in open_)
