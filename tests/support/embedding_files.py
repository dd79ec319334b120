"""Real, small embedding models with random weights as GGUF files: a BERT, and a llama that says how it pools."""

from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from tests.support.gguf_files import write_model

WIDTH, FEED_FORWARD, HEADS, LAYERS, LENGTH = 64, 128, 4, 2, 128
_WORDS = (
    "the of and to in is that it for was on are as with his they be at one have this from or had by hot but some what "
    "a cat dog sat ran mat day night time model question answer"
).split()
MEAN, CLS, LAST, RANK = 1, 2, 3, 4


def write_bert(path: Path, *, pooling: int = CLS, seed: int = 0) -> Path:
    """A BERT of two layers with a WordPiece vocabulary of words, letters and "##" letters."""
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("Tiny BERT")
    writer.add_file_type(0)
    writer.add_context_length(LENGTH)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType(pooling))
    tokens = _add_word_piece(writer)
    for name, weights in _weights(len(tokens), seed):
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_pooling_llama(path: Path, pooling: int = LAST) -> Path:
    """A llama that is trained to embed, by what its file says."""
    return write_model(path, context_length=512, pooling=pooling, name="Tiny Embedder")


def _add_word_piece(writer: gguf.GGUFWriter) -> list[str]:
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + list("0123456789.,?!")
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # As converters write them: a word begins with "▁", what follows in it does not.
    pieces = [*("▁" + word for word in _WORDS), *("▁" + letter for letter in letters), *letters]
    tokens = specials + list(dict.fromkeys(pieces))
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(specials) + [1] * (len(tokens) - len(specials)))
    writer.add_token_type_count(2)
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(3)
    writer.add_unk_token_id(1)
    writer.add_sep_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_mask_token_id(4)
    return tokens


def _weights(vocabulary: int, seed: int) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    rng = np.random.default_rng(seed)

    def matrix(outputs: int, inputs: int) -> npt.NDArray[np.float32]:
        return rng.standard_normal((outputs, inputs), dtype=np.float32) / np.float32(inputs**0.5)

    def norm(name: str) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
        yield name + ".weight", np.ones(WIDTH, np.float32)
        yield name + ".bias", np.zeros(WIDTH, np.float32)

    yield "token_embd.weight", matrix(vocabulary, WIDTH)
    yield "position_embd.weight", matrix(LENGTH, WIDTH)
    yield "token_types.weight", matrix(2, WIDTH)
    yield from norm("token_embd_norm")
    for layer in range(LAYERS):
        prefix = f"blk.{layer}."
        for letter in ("q", "k", "v", "output"):
            yield f"{prefix}attn_{letter}.weight", matrix(WIDTH, WIDTH)
            yield f"{prefix}attn_{letter}.bias", np.zeros(WIDTH, np.float32)
        yield from norm(prefix + "attn_output_norm")
        yield prefix + "ffn_up.weight", matrix(FEED_FORWARD, WIDTH)
        yield prefix + "ffn_up.bias", np.zeros(FEED_FORWARD, np.float32)
        yield prefix + "ffn_down.weight", matrix(WIDTH, FEED_FORWARD)
        yield prefix + "ffn_down.bias", np.zeros(WIDTH, np.float32)
        yield from norm(prefix + "layer_output_norm")
