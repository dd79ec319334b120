"""The two tokenizers: byte-level BPE in the manner of Qwen 2, and SentencePiece-style BPE with bytes to fall back on.

They are trained with the `tokenizers` library, written into GGUF, and from then on llama.cpp alone tokenises, so that
training sees exactly what the application will.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gguf import GGUFWriter, TokenType
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(slots=True)
class Vocabulary:
    """Tokens in order of id, and what GGUF must say of them."""

    model: str  # tokenizer.ggml.model
    end_token: str
    template: str
    turns: dict[str, tuple[str, str]]  # role -> text before and after a message
    answer_start: str
    tokens: list[str] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    merges: list[str] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Keep the tokenizer: weights belong to it, also when the corpus has grown since."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """The inverse of `save`."""
        values = json.loads(path.read_text(encoding="utf-8"))
        values["turns"] = {role: tuple(pair) for role, pair in values["turns"].items()}
        return cls(**values)

    def write(self, writer: GGUFWriter) -> None:
        """Add everything llama.cpp needs to tokenise and to render conversations."""
        writer.add_tokenizer_model(self.model)
        if self.model == "gpt2":
            writer.add_tokenizer_pre("qwen2")
            writer.add_token_merges(self.merges)
        else:
            writer.add_tokenizer_pre("default")
            writer.add_token_scores(self.scores)
            writer.add_add_space_prefix(False)
            writer.add_unk_token_id(0)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.types)
        end = self.tokens.index(self.end_token)
        writer.add_bos_token_id(end)
        writer.add_eos_token_id(end)
        writer.add_pad_token_id(end)
        writer.add_add_bos_token(False)
        writer.add_add_eos_token(False)
        writer.add_chat_template(self.template)


def byte_level(texts: Iterable[str], size: int) -> Vocabulary:
    """Byte-level BPE (GPT-2's alphabet, Qwen 2's splitting: every digit alone) with a ChatML template."""
    template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    turns = {role: (f"<|im_start|>{role}\n", "<|im_end|>\n") for role in ("system", "user", "assistant")}
    vocabulary = Vocabulary("gpt2", "<|im_end|>", template, turns, "<|im_start|>assistant\n")
    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_QWEN2), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size - len(control), initial_alphabet=alphabet, show_progress=False)
    _train(tokenizer, trainer, texts, vocabulary)
    vocabulary.tokens += control
    vocabulary.types = [int(TokenType.NORMAL)] * (len(vocabulary.tokens) - len(control))
    vocabulary.types += [int(TokenType.CONTROL)] * len(control)
    return vocabulary


def sentence_piece(texts: Iterable[str], size: int) -> Vocabulary:
    """SentencePiece-style BPE: spaces are U+2581, unknown characters become bytes, every digit stands alone."""
    template = (
        "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    turns = {role: (f"<|{role}|>", "<|end|>") for role in ("system", "user", "assistant")}
    vocabulary = Vocabulary("llama", "<|end|>", template, turns, "<|assistant|>")
    control = ["<unk>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    byte_tokens = [f"<0x{value:02X}>" for value in range(256)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Split(Regex(r"\n"), "isolated"),
            pre_tokenizers.Metaspace(prepend_scheme="never"),
        ]
    )
    head = control + byte_tokens
    trainer = trainers.BpeTrainer(vocab_size=size - len(head), show_progress=False)
    _train(tokenizer, trainer, texts, vocabulary)
    vocabulary.tokens = head + vocabulary.tokens
    vocabulary.types = [int(TokenType.UNKNOWN)] + [int(TokenType.CONTROL)] * (len(control) - 1)
    vocabulary.types += [int(TokenType.BYTE)] * 256
    vocabulary.types += [int(TokenType.NORMAL)] * (len(vocabulary.tokens) - len(head))
    # llama.cpp merges the pair with the highest score first: the order of learning, negated, is that order.
    vocabulary.scores = [-float(index) for index in range(len(vocabulary.tokens))]
    return vocabulary


def _train(tokenizer: Tokenizer, trainer: trainers.BpeTrainer, texts: Iterable[str], into: Vocabulary) -> None:
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    into.tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    into.merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
