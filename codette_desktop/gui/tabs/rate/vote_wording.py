"""What is said of single votes: words, and all that is stored of them. No Qt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from codette_desktop.domain.votes import Contestant, Exclusion, GivenAnswer, Preference, Source, Vote, VoteFilter
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.ask.wording import clock, sampling_lines
from codette_desktop.gui.tabs.rate.board_wording import exclusion_word, task_name
from codette_desktop.gui.tabs.rate.wording import isolated


def preference_word(preference: Preference) -> str:
    """What the person said, in a word or two."""
    return {
        Preference.LEFT: tr("left better"),
        Preference.RIGHT: tr("right better"),
        Preference.TIE: tr("tie"),
        Preference.BOTH_BAD: tr("both bad"),
        Preference.UP: tr("good"),
        Preference.DOWN: tr("not good"),
    }[preference]


def vote_sentence(vote: Vote) -> str:
    """The same with names."""
    left = isolated(vote.left.contestant.label)
    right = isolated(vote.right.contestant.label) if vote.right else ""
    match vote.preference:
        case Preference.LEFT:
            return tr("{better} is better than {worse}", better=left, worse=right)
        case Preference.RIGHT:
            return tr("{better} is better than {worse}", better=right, worse=left)
        case Preference.TIE:
            return tr("{left} and {right} tie", left=left, right=right)
        case Preference.BOTH_BAD:
            return tr("{left} and {right}: both bad", left=left, right=right)
        case Preference.UP:
            return tr("{name}: good", name=left)
        case _:
            return tr("{name}: not good", name=left)


def source_word(source: Source) -> str:
    """Where a vote was cast."""
    return {
        Source.DUEL: tr("duel"),
        Source.COMPARE: tr("compare"),
        Source.THUMB: tr("chat"),
        Source.IMPORTED: tr("imported"),
        Source.IDENTICAL: tr("equal answers"),
    }[source]


def reason_word(tag: str) -> str:
    """A reason a person gave, as it is read; one that is not known stays as it is."""
    return {
        "correct": tr("more correct"),
        "clear": tr("clearer"),
        "complete": tr("more complete"),
        "brief": tr("briefer"),
        "follows": tr("follows the instructions"),
        "tone": tr("better tone"),
    }.get(tag, tag)


def counts_word(vote: Vote) -> str:
    """ "counts", or why not."""
    if vote.taken_back_at is not None:
        return tr("taken back")
    if vote.exclusion is not Exclusion.NONE:
        return exclusion_word(vote.exclusion)
    return tr("counts") if vote.counts else tr("one answer alone")


def seconds_text(seconds: float | None) -> str:
    """ "12.4 s", "2 min 5 s"; "–" where it was not measured."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return tr("{n} s", n=number(seconds, 1))
    minutes, rest = divmod(round(seconds), 60)
    return tr("{minutes} min {seconds} s", minutes=number(minutes), seconds=f"{rest:02}")


def filter_words(votes: VoteFilter, names: Mapping[str, str]) -> list[str]:
    """What a filter lets through, one a chip; none where it lets through all."""
    found: list[str] = []
    if votes.experiment_id:
        found.append(tr("Experiment: {name}", name=names.get(votes.experiment_id, votes.experiment_id)))
    if votes.pair:
        first, second = (names.get(key, key[:8]) for key in votes.pair)
        found.append(tr("{first} against {second}", first=first, second=second))
    if votes.contestant:
        found.append(tr("With {name}", name=names.get(votes.contestant, votes.contestant[:8])))
    if votes.contestants:
        found.append(tr("Among {names}", names=", ".join(names.get(key, key[:8]) for key in votes.contestants)))
    if votes.task:
        found.append(tr("Task: {name}", name=task_name(votes.task)))
    if votes.since or votes.until:
        found.append(_period(votes.since, votes.until))
    if votes.sources:
        found.append(tr("From: {names}", names=", ".join(source_word(source) for source in votes.sources)))
    if votes.blind:
        found.append(tr("Only those that count"))
    return found


def _period(since: datetime | None, until: datetime | None) -> str:
    first = f"{since.astimezone():%d %b %Y}" if since else ""
    last = f"{until.astimezone():%d %b %Y}" if until else ""
    if since and until:
        return tr("{first} to {last}", first=first, last=last)
    return tr("Since {first}", first=first) if since else tr("Until {last}", last=last)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is stored: of the vote as a whole (`right` None), or of each side."""

    name: str
    left: str
    right: str | None = None


def vote_facts(vote: Vote, today: date) -> list[Fact]:
    """What is stored of the vote as a whole."""
    found = [
        (tr("Cast"), f"{vote.cast_at.astimezone():%Y-%m-%d %H:%M:%S} ({clock(vote.cast_at, today)})"),
        (tr("Vote"), preference_word(vote.preference)),
        (tr("Time to vote"), seconds_text(vote.seconds)),
        (tr("Reasons"), ", ".join(reason_word(tag) for tag in vote.tags)),
        (tr("Counts"), counts_word(vote)),
        (tr("Named itself with"), ", ".join(vote.leaks)),
        (tr("Taken back"), f"{vote.taken_back_at.astimezone():%Y-%m-%d %H:%M:%S}" if vote.taken_back_at else ""),
        (tr("Source"), source_word(vote.source)),
        (tr("Task"), task_name(vote.task)),
        (tr("Seed of the sides"), "" if vote.seed is None else str(vote.seed)),
        (tr("Sides"), _swapped_word(vote)),
        (tr("Prompt hash"), vote.prompt_hash),
        (tr("Experiment"), vote.experiment_id),
        (tr("Duel"), vote.duel_id),
        (tr("Vote number"), vote.id),
    ]
    return [Fact(name, text) for name, text in found if text]


def _swapped_word(vote: Vote) -> str:
    if vote.seed is None:
        return ""
    return tr("the second of the pair stood left") if vote.swapped else tr("the first of the pair stood left")


def side_facts(vote: Vote) -> list[Fact]:
    """What is stored of each side, beside each other."""
    left = _side(vote.left)
    right = _side(vote.right) if vote.right else {}
    names = list(dict.fromkeys((*left, *right)))
    found = [Fact(name, left.get(name, ""), right.get(name, "") if vote.right else None) for name in names]
    return [fact for fact in found if fact.left or fact.right]


def _side(answer: GivenAnswer) -> dict[str, str]:
    style, who = answer.style, answer.contestant
    return {
        tr("Contestant"): who.label,
        tr("Typed as"): who.spec,
        tr("Quantisation"): who.quantisation,
        tr("Parameters"): _parameters(who),
        tr("System prompt"): "\n\n".join(dict.fromkeys(member.system for member in who.members if member.system)),
        tr("Seed"): "" if answer.seed is None else str(answer.seed),
        tr("Engine"): answer.engine_build,
        tr("Device"): answer.device,
        tr("Length"): tr("{tokens} tokens, {characters} characters", tokens=number(style.tokens),
                         characters=number(style.characters)),
        tr("Formatting"): tr("headings: {headers}, list items: {items}, bold: {bold}",
                             headers=number(style.headers), items=number(style.list_items), bold=number(style.bold)),
        tr("Answer hash"): answer.message_hash,
        tr("Model files (SHA-256)"): "\n".join(who.files),
        tr("Contestant key"): who.key,
    }  # fmt: skip


def _parameters(contestant: Contestant) -> str:
    several = len(contestant.members) > 1
    lines: list[str] = []
    for member in contestant.members:
        text = ", ".join(f"{name} {value}" for name, value in sampling_lines(member.sampling))
        lines.append(f"{member.label}: {text}" if several else text)
    return "\n".join(lines)


def facts_as_text(vote: Vote, today: date) -> str:
    """All of it, to be copied."""
    lines = [f"{fact.name}: {fact.left}" for fact in vote_facts(vote, today)]
    if vote.correction:
        lines.append(f"{tr('Correction')}: {vote.correction}")
    for fact in side_facts(vote):
        lines.append(f"{fact.name} ({tr('left')}): {fact.left}")
        if fact.right is not None:
            lines.append(f"{fact.name} ({tr('right')}): {fact.right}")
    return "\n".join(lines)
