"""Words by which an answer gives away who wrote it.

Two kinds: what an answer says of itself ("I am Qwen, made by Alibaba"), and the name of one contestant alone. Whoever
merely writes about llamas, or whom the prompt asked about one of the contestants, gives nothing away.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

from codette_desktop.rating.identities import MAKERS_OF, ORDINARY, is_no_name
from codette_desktop.rating.self_naming import naming_phrases

_PARTS = re.compile(r"[·|/\\:+,()\[\]]+|\.gguf\b", re.IGNORECASE)  # between the parts of a label
_WORDS = re.compile(r"[\s\-_@]+|(?<!\d)\.|\.(?!\d)")  # between the words of a part
_VERSION = r"(?:[\s\-_]?v?\d+(?:\.\d+)*[a-z]?(?!\w))?"
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "HANGUL")
_SHORTEST = 3  # letters of a name in a script that has spaces: "S" and "it" are words of everyone


def leaks(prompt: str, answers: tuple[str, str], names: tuple[Collection[str], Collection[str]]) -> tuple[str, ...]:
    """The words in `answers` that name their writer, as they stand there, each once; () where nobody is named.

    `names` are what each contestant is called: label, model, file, family. A name counts where it belongs to one of
    the two alone, the prompt does not hold it, and the answer does not name the other one as well: whole (a part of a
    label between " · ", "/", ":" or "+"), and of its words those that are families ("qwen") or have letters and digits
    ("smollm2") without being a size or quantisation. What may mean something else too ("llama", "phi", a label of one
    word) counts with a capital or a number alone, and one word that is but a part of a label ("Guide S + recipes") not
    at all. Of what an answer says of itself ("I am X", "developed by Y") everything counts but what holds for both.
    Upper and lower case are the same otherwise; names count as whole words, in any script.
    """
    prompt = unicodedata.normalize("NFKC", prompt)
    texts = [unicodedata.normalize("NFKC", answer) for answer in answers]
    told = [_telling(mine) for mine in names]
    words = [_all_words(mine) for mine in names]
    known = {*MAKERS_OF, *(maker for makers in MAKERS_OF.values() for maker in makers), *told[0], *told[1]}
    shared = _with_makers((told[0] | words[0]) & (told[1] | words[1]))
    asked = {name for name in told[0] ^ told[1] if any(_occurrences(prompt, name, names_only=False))}
    apart = (told[0] - told[1] - asked, told[1] - told[0] - asked)
    pattern = _pattern_of(known | words[0] | words[1])
    found: list[str] = []
    for text in texts:
        found += [said for said, name in naming_phrases(text, pattern) if not _is_shared(name, shared)]
        named = [
            [said for name in sorted(side) for said in _occurrences(text, name, names_only=True)] for side in apart
        ]
        if not all(named):  # whoever names both gives neither away
            found += named[0] + named[1]
    return _each_once(found)


def _telling(names: Collection[str]) -> set[str]:
    """What a contestant may be recognised by, in lower case: whole parts of its names, families, words with digits."""
    found: set[str] = set()
    for name in names:
        parts = list(_parts(name))
        alone = sum(any(not is_no_name(word) for word in _split(part)) for part in parts) == 1
        for part in parts:
            words = _split(part)
            named = [word for word in words if not is_no_name(word)]
            if not named:
                continue
            if _long_enough("".join(words)) and (len(words) > 1 or alone):
                found.add(" ".join(words))
            found |= {family for word in words if (family := _family(word))}
            found |= {word for word in named if re.search(r"[^\W\d_]{2}", word) and re.search(r"\d", word)}
    return found


def _all_words(names: Collection[str]) -> set[str]:
    """All words of a contestant's names but those that are nobody's: an answer may call itself by one of them."""
    words = {word for name in names for part in _parts(name) for word in _split(part)}
    return {word for word in words if _long_enough(word) and not is_no_name(word)}


def _parts(name: str) -> Iterator[str]:
    normal = unicodedata.normalize("NFKC", name).casefold()
    yield from (part.strip() for part in _PARTS.split(normal) if part.strip())


def _split(part: str) -> list[str]:
    return [word for word in _WORDS.split(part) if word]


def _family(word: str) -> str:
    """The family a word names ("qwen" of "qwen2.5"), "" for none."""
    bare = re.sub(r"\d.*$", "", word)
    return bare if bare in MAKERS_OF else ""


def _long_enough(name: str) -> bool:
    return len(name) >= (1 if _unspaced(name[0]) else _SHORTEST) and not name.isdigit()


def _with_makers(shared: set[str]) -> set[str]:
    """With the makers of families that both belong to: "made by Alibaba" tells two Qwens no more apart than "Qwen"."""
    return shared | {maker for name in shared for maker in MAKERS_OF.get(_family(name), ())}


def _is_shared(named: str, shared: set[str]) -> bool:
    bare = " ".join(_split(named.casefold()))
    return bare in shared or _family(bare) in shared


def _pattern_of(names: Iterable[str]) -> str:
    """A regular expression for any of `names`, the longest first, followed by a version or not."""
    ordered = sorted({name for name in names if name}, key=lambda name: (-len(name), name))
    return "(?:" + "|".join(_spaced(name) for name in ordered) + ")" + _VERSION


def _spaced(name: str) -> str:
    """A name whose words may be joined by spaces, hyphens or underscores."""
    return r"[\s\-_]{1,3}".join(re.escape(word) for word in _split(name))


def _occurrences(text: str, name: str, *, names_only: bool) -> Iterator[str]:
    """Where `name` stands in `text` as a whole word. `names_only` leaves out words that are meant otherwise."""
    for match in re.finditer(_spaced(name) + (_VERSION if name in MAKERS_OF else ""), text, re.IGNORECASE):
        said = match[0]
        if _goes_on(text, match.start(), -1) or _goes_on(text, match.end() - 1, 1):
            continue
        if not (names_only and _may_mean_else(name) and said == said.lower() != said.upper()):
            yield said


def _may_mean_else(name: str) -> bool:
    """Whether a name is a word of its language too: families that are, and any other single word without a digit."""
    return name in ORDINARY or (name not in MAKERS_OF and name.isalpha())


def _goes_on(text: str, place: int, step: int) -> bool:
    """Whether the word at `place` continues beyond it: 我是Qwen names Qwen, though no space stands before it."""
    if not 0 <= place + step < len(text):
        return False
    edge, beyond = text[place], text[place + step]
    if not (beyond.isalnum() or beyond == "_" or unicodedata.category(beyond).startswith("M")):
        return False
    return not _unspaced(edge) and not _unspaced(beyond)


def _unspaced(letter: str) -> bool:
    """Whether its script writes words without spaces between them, or joins endings to them."""
    return unicodedata.name(letter, "").startswith(_UNSPACED)


def _each_once(found: Iterable[str]) -> tuple[str, ...]:
    """Without those that are part of another."""
    seen: dict[str, str] = {}
    for said in found:
        plain = " ".join(said.split())
        seen.setdefault(plain.casefold(), plain)
    return tuple(said for key, said in seen.items() if not any(key in other and key != other for other in seen))
