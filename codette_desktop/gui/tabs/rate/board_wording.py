"""What the result pages say of standings, sides, and votes that were left out. No Qt."""

from collections.abc import Sequence

from codette_desktop.domain.tasks import TaskType
from codette_desktop.domain.votes import Exclusion
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.rate.wording import share_text, signed, span, votes_text
from codette_desktop.rating.intervals import Interval
from codette_desktop.rating.leaderboard import Control, Effect, Standing
from codette_desktop.rating.position import PositionCheck
from codette_desktop.rating.support import Support
from codette_desktop.rating.verdict import FEWEST_DECISIVE


def exclusion_word(exclusion: Exclusion) -> str:
    """Why a vote does not count; "" where it does."""
    return {
        Exclusion.NONE: "",
        Exclusion.NOT_BLIND: tr("names were in sight"),
        Exclusion.NAMED: tr("an answer named itself"),
        Exclusion.SEEN: tr("cast anew after the names were shown"),
    }[exclusion]


def left_out_text(excluded: Sequence[tuple[Exclusion, int]], taken_back: int) -> str:
    """How many votes count for nothing here, and why."""
    found = [(why, count) for why, count in excluded if count and why is not Exclusion.NONE]
    total = sum(count for _why, count in found)
    back = ""
    if taken_back:
        back = tr("1 was taken back") if taken_back == 1 else tr("{n} were taken back", n=number(taken_back))
    if not total:
        return tr("No vote was left out; {back}.", back=back) if back else tr("No vote was left out.")
    reasons = ", ".join(f"{exclusion_word(why)} ({number(count)})" for why, count in found)
    said = tr("1 vote counts for nothing here") if total == 1 else tr(
        "{n} votes count for nothing here", n=number(total)
    )  # fmt: skip
    return f"{said}: {reasons}; {back}." if back else f"{said}: {reasons}."


def both_bad_text(count: int) -> str:
    """Both-bad votes say nothing of who is better; "" where there are none."""
    if not count:
        return ""
    if count == 1:
        return tr("1 vote found both bad: it is counted apart, since it prefers neither.")
    return tr("{n} votes found both bad: they are counted apart, since they prefer neither.", n=number(count))


def position_text(check: PositionCheck) -> str:
    """Whether the side matters."""
    total = check.left + check.right
    if not total:
        return tr("No vote has decided yet.")
    if total < FEWEST_DECISIVE:
        return tr("Too few votes to say whether the side matters.")
    won = tr("The left answer won {n} of {total} votes that decided: {share}.",
             n=number(check.left), total=number(total), share=share_text(check.share))  # fmt: skip
    if not check.biased:
        return f"{won} {tr('No sign that the side matters.')}"
    side = tr("You seem to prefer the left side.") if check.left > check.right else tr(
        "You seem to prefer the right side."
    )  # fmt: skip
    harm = tr("Sides are drawn at random, so nobody wins by it; it only takes more votes.")
    return f"{won} {side} {harm}"


def support_text(support: Support) -> str:
    """Why a rating says little; "" where it rests on enough."""
    return {
        Support.RATED: "",
        Support.NO_VOTES: tr("no votes yet"),
        Support.UNCONNECTED: tr("has not met the others"),
        Support.ONE_SIDED: tr("always won or always lost"),
    }[support]


def support_tip(support: Support) -> str:
    """The same in full."""
    return {
        Support.RATED: "",
        Support.NO_VOTES: tr("It has no votes: its rating is only where everyone starts."),
        Support.UNCONNECTED: tr("It never met those who met most, not even through others: its rating says little."),
        Support.ONE_SIDED: tr("It always won or always lost: how far apart they are cannot be said yet."),
    }[support]


def points_text(found: Interval) -> str:
    """ "1,043 (995 to 1,090)"."""
    return f"{signed(found.value)} ({span(found, 1)})"


def standing_text(standing: Standing) -> str:
    """A row of the leaderboard, spoken."""
    parts = [
        tr("Rank {n}: {name}", n=number(standing.rank), name=standing.contestant.label)
        if standing.rank is not None
        else standing.contestant.label,
        tr("{rating} points", rating=points_text(standing.rating)),
        votes_text(standing.votes),
        support_tip(standing.support),
    ]
    return "\n".join(part for part in parts if part)


def effects_text(effects: Sequence[Effect]) -> str:
    """What side and style are worth by themselves."""
    names = {
        "left": tr("the left side"),
        "length": tr("length"),
        "headers": tr("headings"),
        "lists": tr("list items"),
        "bold": tr("bold text"),
    }
    parts = [f"{names.get(item.name, item.name)} {points_text(item.points)}" for item in effects]
    return tr("Left out, in points: {parts}.", parts=" · ".join(parts)) if parts else ""


def missing_text(count: int) -> str:
    """Why what was asked for cannot be left out yet."""
    if count == 1:
        return tr("1 more vote is needed before this can be told apart.")
    return tr("{n} more votes are needed before this can be told apart.", n=number(count))


def task_name(task: str) -> str:
    """What a kind of work is called; "" stands for all."""
    return {
        "": tr("All tasks"),
        TaskType.CODING: tr("Coding"),
        TaskType.ARCHITECTURE: tr("Architecture"),
        TaskType.TESTING: tr("Testing"),
        TaskType.DEBUGGING: tr("Debugging"),
        TaskType.DOCUMENTATION: tr("Documentation"),
        TaskType.ANALYSIS: tr("Analysis"),
        TaskType.PLANNING: tr("Planning"),
        TaskType.GENERAL: tr("Everything else"),
    }.get(task, task)


def control_tip(control: Control) -> str:
    """What leaving something out means."""
    return {
        Control.STYLE: tr("Rates as if all answers were equally long and had as many headings, lists and bold words"),
        Control.POSITION: tr("Rates as if the left side were worth no more than the right one"),
    }[control]
