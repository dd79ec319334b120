"""A request to a Task: its type, how hard it is, what matters for it, and how much context it takes.

Complexity and needs come from rules that can be read here: a level for each task type, moved by what the text says.
"""

import math
from collections.abc import Sequence

from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.tasks import Needs, Task, TaskType
from codette_desktop.inference.routing import features
from codette_desktop.inference.routing.classify import Classification, Classifier

# Below this confidence, and where it is only some words ("and now shorter"), a prompt is read with the one before it.
UNSURE = 0.35
_AFTERTHOUGHT_WORDS, _AFTERTHOUGHT_CHARS = 5, 200
_MESSAGE_TOKENS = 8  # what a chat template adds around one message
_SAMPLE_CHARS = 4096

# By type: complexity; needs (accuracy, speed, creativity); tokens an answer usually takes. Chosen, not measured.
_LEVELS: dict[TaskType, tuple[float, tuple[float, float, float], int]] = {
    TaskType.CODING: (0.45, (0.8, 0.5, 0.2), 700),
    TaskType.ARCHITECTURE: (0.65, (0.7, 0.2, 0.5), 1000),
    TaskType.TESTING: (0.45, (0.8, 0.4, 0.2), 800),
    TaskType.DEBUGGING: (0.55, (0.9, 0.5, 0.1), 600),
    TaskType.DOCUMENTATION: (0.35, (0.6, 0.4, 0.4), 800),
    TaskType.ANALYSIS: (0.55, (0.9, 0.3, 0.2), 700),
    TaskType.PLANNING: (0.45, (0.6, 0.4, 0.4), 700),
    TaskType.GENERAL: (0.2, (0.5, 0.6, 0.4), 300),
}

# Beginnings of folded words in the four languages.
_HARDER = tuple(
    """complex komplex complej distribut verteil concurren parallel scal skalier optimi prove proof beweis demonst
    algorithm security secur sicherheit seguridad thorough ausfuhrlich detail comprehensive legacy migrat consisten
    million billion real-time threads trade-off tradeoff rigorous transaction""".split()
)
_EASIER = tuple("simple simpl einfach sencill quick kurz short small klein peque petit tiny basic beginner".split())
_ACCURATE = tuple(
    """exact precis genau correct richtig accura verif careful sorgfaltig production legal medical financ
    safety critical rigorous certain reliable""".split()
)
_FAST = tuple("quick quickly fast asap urgent hurry brief kurz schnell eilig rapid rapido vite short tldr".split())
_CREATIVE = tuple(
    """creativ kreativ creatif poem gedicht poema poeme story geschichte histoire cuento song lied lyric brainstorm
    ideas ideen imagin invent novel funny witzig joke witz chiste blague slogan haiku limerick fiction""".split()
)


def read_task(text: str, messages: Sequence[Message], classifier: Classifier) -> Task:
    """Read the request `text`, asked after `messages` (which may hold it as its last, or not). Never raises."""
    found = _classified(text, messages, classifier)
    reading = features.read(text)
    base, (accuracy, speed, creativity), answer_tokens = _LEVELS[found.type]
    needs = Needs(
        accuracy=_moved(accuracy, 0.15 * _hits(reading.words, _ACCURATE)),
        speed=_moved(speed, 0.25 * _hits(reading.words, _FAST)),
        creativity=_moved(creativity, 0.3 * _hits(reading.words, _CREATIVE)),
    )
    return Task(
        type=found.type,
        confidence=found.confidence,
        decided_by=found.decided_by,
        complexity=_complexity(base, text, reading),
        needs=needs,
        prompt_tokens=estimate_prompt(text, messages),
        answer_tokens=answer_tokens,
    )


def estimate_prompt(text: str, messages: Sequence[Message]) -> int:
    """Tokens of `messages` and of `text`, unless that is the last of them, with what a chat template adds."""
    contents = [message.content for message in messages]
    if not contents or contents[-1] != text:
        contents.append(text)
    return sum(estimate_tokens(content) + _MESSAGE_TOKENS for content in contents)


def estimate_tokens(text: str) -> int:
    """About how many tokens `text` is, rather too many than too few: 3.5 characters of ASCII each, 2.5 bytes of others.

    Of a long text three samples are counted. Only the model's own tokenizer knows the number.
    """
    if len(text) <= 3 * _SAMPLE_CHARS:
        return math.ceil(_sample_tokens(text))
    middle = len(text) // 2
    sample = text[:_SAMPLE_CHARS] + text[middle : middle + _SAMPLE_CHARS] + text[-_SAMPLE_CHARS:]
    return math.ceil(_sample_tokens(sample) * len(text) / len(sample))


def _sample_tokens(text: str) -> float:
    ascii_chars = len(text.encode("ascii", "ignore"))
    other_bytes = len(text.encode("utf-8", "surrogatepass")) - ascii_chars
    return ascii_chars / 3.5 + other_bytes / 2.5


def _classified(text: str, messages: Sequence[Message], classifier: Classifier) -> Classification:
    found = classifier.classify(text)
    if found.confidence >= UNSURE and not (found.type is TaskType.GENERAL and _is_afterthought(text)):
        return found
    before = [message.content for message in messages if message.role is Role.USER and message.content != text]
    if not before or len(text) > _AFTERTHOUGHT_CHARS:
        return found
    together = classifier.classify(f"{text}\n{features.window(before[-1])}")
    return together if together.confidence >= UNSURE else found


def _is_afterthought(text: str) -> bool:
    """Some words that ask no question of their own: it is told apart from "who wrote Faust?" by the question mark."""
    reading = features.read(text)
    return len(reading.words) <= _AFTERTHOUGHT_WORDS and "#question" not in reading.marks


def _complexity(base: float, text: str, reading: features.Reading) -> float:
    """The level of the type, moved by length (0.1 for each tenfold above 120 characters), form and cues."""
    length = 0.1 * math.log10(max(1.0, len(text) / 120))
    marks = 0.05 * len({"#list", "#stack trace", "#long"}.intersection(reading.marks))
    cues = 0.1 * _hits(reading.words, _HARDER) - 0.12 * _hits(reading.words, _EASIER)
    return _moved(base, length + marks + cues)


def _hits(words: Sequence[str], beginnings: tuple[str, ...]) -> int:
    """How many different words begin so, at most three: a fourth says nothing new."""
    return min(3, len({word for word in words if word.startswith(beginnings)}))


def _moved(level: float, change: float) -> float:
    return round(min(1.0, max(0.0, level + change)), 3)
