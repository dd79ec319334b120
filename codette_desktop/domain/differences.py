"""Differences between two texts, word by word, in any script; worked out in small steps, so that nobody has to wait.

Words are compared, the spaces between them are not. Scripts that write no spaces (Chinese, Japanese, Thai, ...) are
compared letter by letter. The method is the patience diff (B. Cohen): words that stand once in each text and in the
same order in both hold the two together; between them the same is done again, and short stretches are compared exactly.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from codette_desktop.domain.words import WordList

EXACT_CELLS = 2_500  # of the table in which two stretches are compared exactly: 50 words against 50
_ISLAND_WORDS = 2  # so few equal words amid long differences are chance, and marks around them only flicker
_ISLAND_RATIO = 4

T = TypeVar("T")
Steps = Generator[None, None, T]


class Match(NamedTuple):
    """`length` equal words, from the places `first` and `second` on."""

    first: int
    second: int
    length: int


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs: ranges of characters (start, end) in each text, ordered, not touching one another.

    `equal` counts the words that both have, `words` those of the first text and of the second.
    """

    first: tuple[tuple[int, int], ...] = ()
    second: tuple[tuple[int, int], ...] = ()
    equal: int = 0
    words: tuple[int, int] = (0, 0)


def differences(first: str, second: str) -> Differences:
    """Both texts compared at once."""
    return finish(compare_steps(WordList(), WordList(), first, second))


def compare_steps(first: WordList, second: WordList, first_text: str, second_text: str) -> Steps[Differences]:
    """The same in steps of about a millisecond each. The word lists remember the words of texts that grow."""
    yield from first.read(first_text)
    yield from second.read(second_text)
    matches = yield from match_steps(first.words, second.words)
    equal = sum(match.length for match in matches)
    marked = _changed([(m.first, m.length) for m in matches], first)
    yield
    return Differences(
        marked,
        _changed([(m.second, m.length) for m in matches], second),
        equal,
        (len(first.words), len(second.words)),
    )


def finish(steps: Steps[T]) -> T:
    """Take all steps at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def match_steps(first: Sequence[str], second: Sequence[str]) -> Steps[list[Match]]:
    """The stretches of equal words, in order."""
    matches: list[Match] = []
    todo = [(0, len(first), 0, len(second))]
    while todo:
        a, a_end, b, b_end = todo.pop()
        a, b, before = _same_beginning(first, second, a, a_end, b, b_end)
        if before:
            matches.append(Match(a - before, b - before, before))
        a_end, b_end, after = _same_end(first, second, a, a_end, b, b_end)
        if after:
            matches.append(Match(a_end, b_end, after))
        if a == a_end or b == b_end:
            continue
        if (a_end - a) * (b_end - b) <= EXACT_CELLS:
            matches += _exact(first, second, a, a_end, b, b_end)
            yield
        else:
            todo += yield from _divided(first, second, a, a_end, b, b_end)
    return _without_islands(_joined(matches), len(first), len(second))


def _same_beginning(
    first: Sequence[str], second: Sequence[str], a: int, a_end: int, b: int, b_end: int
) -> tuple[int, int, int]:
    start = a
    while a < a_end and b < b_end and first[a] == second[b]:
        a += 1
        b += 1
    return a, b, a - start


def _same_end(
    first: Sequence[str], second: Sequence[str], a: int, a_end: int, b: int, b_end: int
) -> tuple[int, int, int]:
    end = a_end
    while a < a_end and b < b_end and first[a_end - 1] == second[b_end - 1]:
        a_end -= 1
        b_end -= 1
    return a_end, b_end, end - a_end


def _divided(
    first: Sequence[str], second: Sequence[str], a: int, a_end: int, b: int, b_end: int
) -> Steps[list[tuple[int, int, int, int]]]:
    """The region cut at the words that hold it together; in the middle where no word does."""
    in_first, in_second = first[a:a_end], second[b:b_end]
    counts, other_counts = Counter(in_first), Counter(in_second)
    yield
    once = {word for word, count in counts.items() if count == 1 and other_counts.get(word) == 1}
    if not once:
        if counts.keys().isdisjoint(other_counts.keys()):
            return []
        middle, other_middle = (a + a_end) // 2, (b + b_end) // 2
        return [(a, middle, b, other_middle), (middle, a_end, other_middle, b_end)]
    places = {word: at for at, word in enumerate(in_second, b) if word in once}
    pairs = [(at, places[word]) for at, word in enumerate(in_first, a) if word in once]
    yield
    regions: list[tuple[int, int, int, int]] = []
    for at, other_at in _rising(pairs):
        # The word itself begins the next region, whose beginnings are then equal.
        regions.append((a, at, b, other_at))
        a, b = at, other_at
    regions.append((a, a_end, b, b_end))
    return regions


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of `pairs` (ordered by their first place) whose second places rise too."""
    tails: list[int] = []  # the smallest second place that ends a rising part of each length
    ends: list[int] = []
    before: list[int] = []
    for number, (_at, other) in enumerate(pairs):
        length = bisect_left(tails, other)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(other)
            ends.append(number)
        else:
            tails[length], ends[length] = other, number
    found: list[tuple[int, int]] = []
    number = ends[-1] if ends else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _exact(first: Sequence[str], second: Sequence[str], a: int, a_end: int, b: int, b_end: int) -> list[Match]:
    """The longest common subsequence by its table."""
    width = b_end - b + 1
    rows: list[list[int]] = [[0] * width]
    other = second[b:b_end]
    for word in reversed(first[a:a_end]):
        below, row = rows[-1], [0] * width
        for at in range(width - 2, -1, -1):
            row[at] = below[at + 1] + 1 if other[at] == word else max(below[at], row[at + 1])
        rows.append(row)
    rows.reverse()
    found: list[Match] = []
    x = y = 0
    while x < a_end - a and y < b_end - b:
        if first[a + x] == second[b + y]:
            found.append(Match(a + x, b + y, 1))
            x, y = x + 1, y + 1
        elif rows[x + 1][y] >= rows[x][y + 1]:
            x += 1
        else:
            y += 1
    return found


def _joined(matches: list[Match]) -> list[Match]:
    """In order, and what touches in both texts as one."""
    matches.sort()
    joined: list[Match] = []
    for match in matches:
        last = joined[-1] if joined else None
        if last and (last.first + last.length, last.second + last.length) == (match.first, match.second):
            joined[-1] = Match(last.first, last.second, last.length + match.length)
        else:
            joined.append(match)
    return joined


def _without_islands(matches: list[Match], first: int, second: int) -> list[Match]:
    """Without the few equal words amid long differences; `first` and `second` are the lengths of the texts."""
    kept: list[Match] = []
    a = b = 0
    ends = [*matches[1:], Match(first, second, 0)][: len(matches)]
    for match, following in zip(matches, ends, strict=True):
        before = max(match.first - a, match.second - b)
        after = max(following.first - match.first, following.second - match.second) - match.length
        if match.length <= _ISLAND_WORDS and min(before, after) >= _ISLAND_RATIO * match.length:
            continue
        kept.append(match)
        a, b = match.first + match.length, match.second + match.length
    return kept


def _changed(matches: list[tuple[int, int]], words: WordList) -> tuple[tuple[int, int], ...]:
    """The ranges of characters of the words that are in no match."""
    found: list[tuple[int, int]] = []
    at = 0
    for start, count in [*matches, (len(words.words), 0)]:
        if start > at:
            found.append((words.starts[at], words.ends[start - 1]))
        at = start + count
    return tuple(found)
