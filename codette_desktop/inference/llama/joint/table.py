"""A vocabulary as bytes: the one form in which the tokens of different models can be compared."""

import hashlib
import threading
from functools import cached_property
from typing import ClassVar
from weakref import WeakKeyDictionary, proxy

import numpy as np

from codette_desktop.inference.llama.context import Logits
from codette_desktop.inference.llama.vocabulary import Vocabulary

END = b""  # stands for every token that ends an answer; no other token that may be said is empty
_ROWS = 128


class ByteTable:
    """The pieces of all tokens, and back. Made once for a vocabulary, in about 0.3 s for 150,000 tokens."""

    _known: ClassVar["WeakKeyDictionary[Vocabulary, ByteTable]"] = WeakKeyDictionary()
    _lock: ClassVar = threading.Lock()

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = proxy(vocabulary)  # or the table would keep it, and with it itself, for ever
        self.size = vocabulary.size
        self.ends = np.array(sorted(vocabulary.end_tokens), np.int64)
        self._is_end = vocabulary.end_tokens
        self.pieces = [vocabulary.piece(token) for token in range(vocabulary.size)]
        self.ids: dict[bytes, int] = {}
        for token, piece in enumerate(self.pieces):
            known = self.ids.get(piece)
            if piece and token not in self._is_end and (known is None or vocabulary.is_byte(known)):
                self.ids[piece] = token
        self._begins: dict[bytes, int | None] = {}  # of other vocabularies' pieces; never more than these have
        self._longest = max(map(len, self.ids), default=0)

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "ByteTable":
        """That of a vocabulary, made where there is none yet. Any thread; not for the decoder's."""
        with cls._lock:
            found = cls._known.get(vocabulary)
            if found is None:
                found = cls._known[vocabulary] = cls(vocabulary)
            return found

    @cached_property
    def fingerprint(self) -> bytes:
        """Equal for vocabularies whose tokens mean the same."""
        digest = hashlib.blake2b(digest_size=16)
        for piece in self.pieces:
            digest.update(len(piece).to_bytes(4, "little") + piece)
        digest.update(self.ends.tobytes())
        return digest.digest()

    def said_by(self, token: int) -> bytes | None:
        """What a token says: `END`, its bytes, or None for one that no answer may contain."""
        if token in self._is_end:
            return END
        return self.pieces[token] or None

    def first_choices(self, logits: Logits, count: int) -> list[bytes]:
        """What the model would say next, the most probable first, without repetition: at most `count`, at least one."""
        wanted = count + 2
        while True:
            found: dict[bytes, None] = {}
            for token in most_probable(logits, wanted).tolist():
                if (piece := self.said_by(token)) is not None:
                    found[piece] = None
            if len(found) >= count or wanted >= len(logits):
                return list(found)[:count] or [END]
            wanted *= 8  # many of them are control tokens

    def first_token(self, piece: bytes) -> int | None:
        """The token that it would begin to say `piece` with; None for `END`, and where it cannot say it."""
        if (known := self.ids.get(piece)) is not None:
            return known
        if piece not in self._begins:
            tokens = self.encode(piece) if piece else None
            self._begins[piece] = tokens[0] if tokens else None
        return self._begins[piece]

    def encode(self, data: bytes) -> list[int] | None:
        """Tokens that stand for just these bytes; None where the vocabulary cannot say them."""
        if (known := self.ids.get(data)) is not None:
            return [known]
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return self._longest_match(data)
        return self._tokenised(text, data) or self._longest_match(data)

    def _tokenised(self, text: str, data: bytes) -> list[int] | None:
        tokens = self._vocabulary.tokenise(text, special=False).tolist()
        if self.joined(tokens) == data:
            return tokens
        # Some tokenizers put a space before what they take for the beginning of a text.
        before = self._vocabulary.tokenise("\n", special=False).tolist()
        tokens = self._vocabulary.tokenise("\n" + text, special=False).tolist()
        if tokens[: len(before)] == before and self.joined(tokens[len(before) :]) == data:
            return tokens[len(before) :]
        return None

    def _longest_match(self, data: bytes) -> list[int] | None:
        tokens: list[int] = []
        at = 0
        while at < len(data):
            for size in range(min(self._longest, len(data) - at), 0, -1):
                if (token := self.ids.get(data[at : at + size])) is not None:
                    tokens.append(token)
                    at += size
                    break
            else:
                return None
        return tokens

    def joined(self, tokens: list[int]) -> bytes:
        """The bytes that tokens stand for together."""
        return b"".join([self.pieces[token] for token in tokens])


def most_probable(logits: Logits, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The numbers of the `count` largest of `logits`, the largest first.

    Those lie in the groups with the largest maxima, so that nearly all of a large vocabulary is looked at but once. A
    group is a column of the logits laid out in `_ROWS` rows: their maxima are found at the speed of memory.
    """
    size = len(logits)
    groups = size // _ROWS
    whole = groups * _ROWS
    if groups <= count:
        numbers = np.arange(size)
    else:
        highest = logits[:whole].reshape(_ROWS, groups).max(axis=0)
        chosen = np.argpartition(highest, groups - count)[groups - count :]
        numbers = (np.arange(0, whole, groups)[:, None] + chosen).ravel()
        if whole < size:
            numbers = np.concatenate([numbers, np.arange(whole, size)])
    values = logits[numbers]
    if len(numbers) > count:
        kept = np.argpartition(values, len(values) - count)[len(values) - count :]
        numbers, values = numbers[kept], values[kept]
    return numbers[np.lexsort((numbers, -values))]
