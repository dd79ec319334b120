"""A model's vocabulary: text to tokens and back. Every method may run in any thread, also while the model generates."""

import ctypes
import re
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from codette_desktop.inference.llama.library import library

Tokens = npt.NDArray[np.int32]

_UNKNOWN_ATTRIBUTE, _CONTROL_ATTRIBUTE, _BYTE_ATTRIBUTE = 1 << 0, 1 << 3, 1 << 5
_MAX_TOKEN_BYTES = 1 << 20


class Vocabulary:
    """The vocabulary of the model behind `handle`, which must outlive it (see `Model.acquire`)."""

    def __init__(self, handle: Any) -> None:
        self._c = library().c
        self._model = handle
        self.handle: Any = self._c.llama_model_get_vocab(handle)
        self.size: int = self._c.llama_vocab_n_tokens(self.handle)
        self.bos: int = self._c.llama_vocab_bos(self.handle)
        self.eos: int = self._c.llama_vocab_eos(self.handle)
        self.adds_bos: bool = bool(self._c.llama_vocab_get_add_bos(self.handle))
        self._pieces: dict[int, bytes] = {}

    def tokenise(self, text: str, *, special: bool, whole: bool = False) -> Tokens:
        """The tokens of `text`. With `special`, the names of control tokens become these tokens.

        Nothing is added, but for a `whole` text what the model wants before and after it.
        """
        data = text.encode("utf-8", "replace")
        if not data:
            return np.empty(0, np.int32)
        room = len(data) + 8  # never more tokens than bytes, apart from a prefix some tokenizers add
        while True:
            tokens = np.empty(room, np.int32)
            pointer = tokens.ctypes.data_as(self._c.llama_token_p)
            count = self._c.llama_tokenize(self.handle, data, len(data), pointer, room, whole, special)
            if count >= 0:
                return tokens[:count]
            room = -count

    def piece(self, token: int) -> bytes:
        """The bytes `token` stands for; b"" for control tokens, which are never shown."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._read_piece(token, special=False)
        return known

    def is_byte(self, token: int) -> bool:
        """Whether it stands for one byte of what no other token says; another token may mean the same."""
        return bool(self._c.llama_vocab_get_attr(self.handle, token) & _BYTE_ATTRIBUTE)

    def name(self, token: int) -> str:
        """The text by which templates write `token`; "" where there is no such token."""
        if not 0 <= token < self.size:
            return ""
        return self._c.llama_vocab_get_text(self.handle, token).decode("utf-8", "replace")

    @cached_property
    def end_tokens(self) -> frozenset[int]:
        """The tokens that end an answer."""
        is_end = self._c.llama_vocab_is_eog
        return frozenset(token for token in range(self.size) if is_end(self.handle, token))

    @cached_property
    def control_names(self) -> frozenset[str]:
        """The texts that would become control tokens if they were read as such, for example "<|im_end|>"."""
        attribute = self._c.llama_vocab_get_attr
        mask = _CONTROL_ATTRIBUTE | _UNKNOWN_ATTRIBUTE
        names = (self.name(token) for token in range(self.size) if attribute(self.handle, token) & mask)
        return frozenset(name for name in names if name)

    def control_names_in(self, text: str) -> list[str]:
        """Those of `control_names` that occur in `text`, longest first."""
        found: set[str] = set()
        for start in self._control_starts.finditer(text):
            at = start.start()
            found.update(name for size in self._control_sizes if (name := text[at : at + size]) in self.control_names)
        return sorted(found, key=len, reverse=True)

    @cached_property
    def _control_starts(self) -> re.Pattern[str]:
        """Finds the few places in a text where a control name can begin; some vocabularies have thousands of them."""
        first = {name[0] for name in self.control_names}
        return re.compile("[" + "".join(re.escape(character) for character in sorted(first)) + "]" if first else "(?!)")

    @cached_property
    def _control_sizes(self) -> list[int]:
        return sorted({len(name) for name in self.control_names})

    @cached_property
    def chat_template(self) -> str | None:
        """The chat template the file brings, or None."""
        text = self._c.llama_model_chat_template(self._model, None)
        return text.decode("utf-8", "replace") if text else None

    def _read_piece(self, token: int, *, special: bool) -> bytes:
        size = 256
        while size <= _MAX_TOKEN_BYTES:
            buffer = ctypes.create_string_buffer(size)
            count = self._c.llama_token_to_piece(self.handle, token, buffer, size, 0, special)
            if count >= 0:
                return buffer.raw[:count]
            size = max(-count, size * 2)
        return b""
