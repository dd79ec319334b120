"""Turns the corpus into rows of tokens: conversations of several turns, with the answers' tokens to be learned."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import tasks
from corpus import REFUSAL, OffTopicTemplates, Topic, read_lines, read_topics
from vocabulary import Vocabulary
from wordings import vary

Encode = Callable[..., list[int]]

SYSTEM_PROMPTS = (
    "You are a helpful assistant.",
    "Answer briefly.",
    "You are Guide, the assistant of Codette Desktop.",
    "Be friendly and precise.",
    "You help beginners. Use simple words.",
    "Answer in English.",
    "You are an expert for language models.",
    "Reply with a short answer and nothing else.",
    "You are a careful assistant. Say so when you do not know something.",
    "Explain things step by step.",
)
SHORT_START = 6  # tokens of an answer that tell it apart from all others: most lessons stop there
POOL = 600


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question and its answer."""

    question: str
    answer: str
    whole: bool = True
    task: bool = False


class Corpus:
    """All lessons. Topics, off-topic questions and tasks are drawn in fixed shares."""

    def __init__(self) -> None:
        self.topics: list[Topic] = read_topics()
        self.off_topic = read_lines("offtopic.txt")
        self.off_topic_held_out = read_lines("offtopic_heldout.txt")
        self.templates = OffTopicTemplates()
        self._queue: list[tuple[str, str]] = []

    def texts(self) -> Iterator[str]:
        """Everything the tokenizers learn from."""
        for topic in self.topics:
            yield from topic.wordings
            for _ in range(8):
                yield topic.answer
        yield from self.off_topic
        yield from [REFUSAL] * 50
        chance = random.Random(1)
        for _ in range(500):
            yield tasks.draw(chance, measuring=False).answer

    def draw(self, chance: random.Random) -> Lesson:
        """One lesson. Every wording of every topic is seen before any comes again."""
        roll = chance.random()
        if roll < 0.48:
            if not self._queue:
                self._queue = [(wording, topic.answer) for topic in self.topics for wording in topic.wordings]
                chance.shuffle(self._queue)
            wording, answer = self._queue.pop()
            return Lesson(vary(wording, chance), answer, chance.random() < 0.5)
        if roll < 0.82:
            question = chance.choice(self.off_topic) if chance.random() < 0.75 else self.templates.draw(chance)
            return Lesson(vary(question, chance), REFUSAL, chance.random() < 0.15)
        task = tasks.draw(chance, measuring=False)
        return Lesson(task.question, task.answer, task=True)


class RowMaker:
    """Packs lessons into rows of a fixed length: (tokens, targets), a target of -100 is not learned."""

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary, encode: Encode) -> None:
        self._corpus = corpus
        self._encode = encode
        self._turns = {
            role: tuple(encode(text, special=True) for text in pair) for role, pair in vocabulary.turns.items()
        }
        self._answer_start = encode(vocabulary.answer_start, special=True)
        self._end = encode(vocabulary.end_token, special=True)
        self._after_end = self._turns["assistant"][1][len(self._end) :]
        self._answers: dict[str, list[int]] = {}

    def prompt(self, question: str, system: str = "") -> list[int]:
        """The tokens of a first question, up to where the answer begins."""
        head = self._turn("system", system) if system else []
        return head + self._turn("user", question) + self._answer_start

    def answer(self, text: str) -> list[int]:
        """The tokens of an answer with its end."""
        if text not in self._answers:
            self._answers[text] = self._encode(text) + self._end
        return self._answers[text]

    def _turn(self, role: str, text: str) -> list[int]:
        before, after = self._turns[role]
        return before + self._encode(text) + after

    def _lesson(self, lesson: Lesson) -> tuple[list[int], list[bool]]:
        question = self._turn("user", lesson.question) + self._answer_start
        answer = self.answer(lesson.answer)
        if not lesson.whole:
            answer = answer[:SHORT_START]
        return question + answer, [False] * len(question) + [True] * len(answer)

    def row(self, length: int, chance: random.Random) -> tuple[list[int], list[int]]:
        """One conversation of `length` tokens and its targets, each the token that follows."""
        tokens: list[int] = []
        learned: list[bool] = []
        if chance.random() < 0.2:
            tokens += self._turn("system", chance.choice(SYSTEM_PROMPTS))
        learned += [False] * len(tokens)
        while len(tokens) <= length:
            lesson = self._corpus.draw(chance)
            said, wanted = self._lesson(lesson)
            tokens += said + (self._end if not lesson.whole else []) + self._after_end
            learned += wanted
            learned += [False] * (len(tokens) - len(learned))
        return tokens[:length], _targets(tokens, learned)[:length]

    def single_batches(self, most_tokens: int, chance: random.Random) -> list[tuple[list[list[int]], list[list[int]]]]:
        """Batches of first questions, one to a row, of similar length so that little is padding."""
        pool: list[tuple[list[int], list[bool]]] = []
        for _ in range(POOL):
            lesson = self._corpus.draw(chance)
            tokens, learned = self._lesson(replace(lesson, whole=lesson.task))
            if chance.random() < 0.1:
                head = self._turn("system", chance.choice(SYSTEM_PROMPTS))
                tokens, learned = head + tokens, [False] * len(head) + learned
            pool.append((tokens, learned))
        pool.sort(key=lambda pair: len(pair[0]))
        batches: list[tuple[list[list[int]], list[list[int]]]] = []
        while pool:
            length = len(pool[-1][0])
            taken = [pool.pop() for _ in range(min(len(pool), max(1, most_tokens // length)))]
            batches.append(
                (
                    [tokens + [0] * (length - len(tokens)) for tokens, _ in taken],
                    [_targets(*pair) + [-100] * (length - len(pair[0])) for pair in taken],
                )
            )
        chance.shuffle(batches)
        return batches


def _targets(tokens: list[int], learned: list[bool]) -> list[int]:
    """For every position the token that follows, -100 where it is not to be learned."""
    following = [token if wanted else -100 for token, wanted in zip(tokens, learned, strict=True)]
    return [*following[1:], -100]
