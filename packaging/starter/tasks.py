"""Small exact tasks, so that accuracy can be measured to the digit: sums, comparisons, multiple choice.

Sums and choices show their working: each step is one look-up, which even a very small network learns, where the result
at once would be a table of 10,000 entries. A tenth of all ordered operand pairs is held out by a fixed rule and never
trained on.
"""

import random
from dataclasses import dataclass

SIZES = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "F16", "F32")  # smallest file first


@dataclass(frozen=True, slots=True)
class Task:
    """A question, the full answer, and the part of it that is compared ("92", "yes", "B")."""

    kind: str
    question: str
    answer: str
    key: str


def held_out(first: int, second: int) -> bool:
    """Whether a pair of operands, in this order, is kept for measuring."""
    return (first * 31 + second * 17) % 10 == 3


def _measured(first: int, second: int) -> bool:
    """Sums and differences are measured on pairs that were trained on in neither order."""
    return held_out(first, second) and held_out(second, first)


def draw(chance: random.Random, *, measuring: bool) -> Task:
    """A task of a random kind; its operands are held out exactly when `measuring`."""
    kinds = (_sum, _sum, _sum, _difference, _difference, _yes_no, _yes_no, _sizes, _choice, _choice)
    return chance.choice(kinds)(chance, measuring)


def _pair(chance: random.Random, measuring: bool, high: int = 99) -> tuple[int, int]:
    while True:
        first, second = chance.randint(0, high), chance.randint(0, high)
        if _measured(first, second) if measuring else not held_out(first, second):
            return first, second


def _sum(chance: random.Random, measuring: bool) -> Task:
    first, second = _pair(chance, measuring)
    wording = chance.choice(
        (
            "What is {} + {}?",
            "{} + {}",
            "{} plus {}",
            "What is {} plus {}?",
            "add {} and {}",
            "calculate {} + {}",
            "{} + {} = ?",
        )
    )
    total = first + second
    units, carry = first % 10 + second % 10, " + 1" if first % 10 + second % 10 > 9 else ""
    working = f"{first % 10} + {second % 10} = {units}, {first // 10} + {second // 10}{carry} = {total // 10}"
    return Task("arithmetic", wording.format(first, second), f"{working}, so {first} + {second} = {total}.", str(total))


def _difference(chance: random.Random, measuring: bool) -> Task:
    first, second = sorted(_pair(chance, measuring), reverse=True)
    if not measuring and held_out(first, second):
        return _difference(chance, measuring)
    wording = chance.choice(
        ("What is {} - {}?", "{} - {}", "{} minus {}", "What is {} minus {}?", "calculate {} - {}", "{} - {} = ?")
    )
    rest = first - second
    borrowed = first % 10 < second % 10
    units, tens = first % 10 + 10 * borrowed, first // 10 - borrowed
    working = f"{units} - {second % 10} = {rest % 10}, {tens} - {second // 10} = {rest // 10}"
    return Task("arithmetic", wording.format(first, second), f"{working}, so {first} - {second} = {rest}.", str(rest))


def _yes_no(chance: random.Random, measuring: bool) -> Task:
    first, second = _pair(chance, measuring)
    if first == second:
        return _yes_no(chance, measuring)
    relation, true = chance.choice((("greater", first > second), ("smaller", first < second)))
    wording = chance.choice(("Is {} {} than {}?", "is {} {} than {}", "yes or no: is {} {} than {}?"))
    fact = f"{first} is {relation} than {second}" if true else f"{first} is not {relation} than {second}"
    return Task(
        "yes-no",
        wording.format(first, relation, second),
        f"{'Yes' if true else 'No'}, {fact}.",
        "yes" if true else "no",
    )


def _sizes(chance: random.Random, measuring: bool) -> Task:
    first, second = chance.sample(range(len(SIZES)), 2)
    if (first * 3 + second) % 5 == 1 and not measuring:
        return _sizes(chance, measuring)
    if (first * 3 + second) % 5 != 1 and measuring:
        return _sizes(chance, measuring)
    relation, true = chance.choice((("larger", first > second), ("smaller", first < second)))
    wording = chance.choice(("Is {} {} than {}?", "is {} {} than {}", "Is a {} file {} than a {} file?"))
    names = SIZES[first], SIZES[second]
    fact = f"{names[0]} is {relation} than {names[1]}" if true else f"{names[0]} is not {relation} than {names[1]}"
    key = "yes" if true else "no"
    return Task("yes-no", wording.format(names[0], relation, names[1]), f"{key.capitalize()}, {fact}.", key)


def _choice(chance: random.Random, measuring: bool) -> Task:
    numbers = chance.sample(range(100), 3)
    if held_out(numbers[0], numbers[1]) != measuring:
        return _choice(chance, measuring)
    word, best = chance.choice((("largest", max(numbers)), ("smallest", min(numbers))))
    letter = "ABC"[numbers.index(best)]
    wording = chance.choice(("Which is the {}?", "Which number is the {}?", "Choose the {} number:"))
    options = " ".join(f"{name}) {number}" for name, number in zip("ABC", numbers, strict=True))
    pick, sign = (max, ">") if word == "largest" else (min, "<")
    steps = (numbers[:2], [pick(numbers[:2]), numbers[2]])
    working = ", ".join(f"{pick(pair)} {sign} {sum(pair) - pick(pair)}" for pair in steps)
    return Task("choice", f"{wording.format(word)} {options}", f"{working}, so {letter}) {best}.", letter)
