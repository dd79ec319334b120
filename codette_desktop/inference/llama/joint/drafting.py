"""A draft of the leading member, what the others say of it, and where all have to decide together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from codette_desktop.inference.llama.joint.fusing import Scores
from codette_desktop.inference.llama.joint.table import END
from codette_desktop.inference.llama.joint.writer import Reading, Writer

SURE = 0.6  # below it the leader asks the others, whatever they would say
FIRST_DRAFT, LONGEST_DRAFT = 4, 8  # in tokens


@dataclass(slots=True)
class Draft:
    """What the leader would say next: its tokens with where they begin, and what it says before each.

    `rows` has one more where the draft stops for another reason than its length: `ends` says that it would end there.
    """

    text: bytes = b""
    tokens: list[int] = field(default_factory=list[int])
    starts: list[int] = field(default_factory=list[int])
    rows: list[Scores] = field(default_factory=list[Scores])
    ends: bool = False
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Opinion:
    """How another member reads the draft: what it says where its tokens begin, and where it objects first."""

    writer: Writer
    rows: dict[int, Scores]
    objects_at: int | None


def objection(writer: Writer, draft: Draft, reading: Reading, rows: dict[int, Scores], before: bytes) -> int | None:
    """Where the member would first say something that the draft does not say, in bytes; None where nowhere.

    `before` is the common text that the draft follows. A longer piece of the same text is no objection; a
    shorter one is, for after it the member would go on in another way.
    """
    text = before + draft.text
    for token, start in zip(reading.tokens, reading.starts, strict=True):
        wanted = rows[start].first
        said = writer.table.pieces[token]
        if wanted == said:
            continue
        rest = text[len(before) + start :]
        longer = len(wanted) > len(said) and (rest.startswith(wanted) or wanted.startswith(rest))
        if wanted == END or not longer:
            return max(0, start)
    if draft.ends and rows[len(draft.text)].first != END:
        return len(draft.text)
    return None


def where_to_cut(draft: Draft, opinions: Sequence[Opinion]) -> int | None:
    """Where all decide together, in bytes of the draft: the last place at or before the first objection.

    It must be one where a token begins for everybody; None where there is none, or nobody objects.
    """
    objections = [opinion.objects_at for opinion in opinions if opinion.objects_at is not None]
    end = len(draft.text)
    if draft.unsure:
        objections.append(end)
    if not objections:
        return None
    places = {*draft.starts, end} if len(draft.rows) > len(draft.starts) else {*draft.starts}
    for opinion in opinions:
        places &= opinion.rows.keys()
    before = [place for place in places if place <= min(objections)]
    if before:
        return max(before)
    return end if draft.unsure else None


def next_length(length: int, draft: Draft, cut: int | None) -> int:
    """Longer while drafts are kept whole, as long as what was kept of one that was not."""
    if cut is None or cut == len(draft.text):
        return min(LONGEST_DRAFT, max(length, len(draft.starts)) + 1)
    return max(1, sum(start < cut for start in draft.starts))
