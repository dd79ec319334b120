"""Writes a network and its vocabulary as GGUF, and tokenises with llama.cpp through such a file."""

import ctypes
from pathlib import Path

import llama_cpp.llama_cpp as low
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, quants
from network import EPSILON, ROPE_BASE, Network, Shape
from vocabulary import Vocabulary

_FILE_TYPES = {
    "F16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "Q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    "Q4_0": (GGMLQuantizationType.Q4_0, LlamaFileType.MOSTLY_Q4_0),
}


def write(
    path: Path,
    shape: Shape,
    vocabulary: Vocabulary,
    network: Network | None,
    *,
    name: str = "",
    quantisation: str = "F16",
) -> None:
    """Write `network` to `path`; without one, only the vocabulary (enough to tokenise)."""
    kind, file_type = _FILE_TYPES[quantisation]
    writer = GGUFWriter(path, "llama")
    writer.add_name(name or path.stem)
    writer.add_description("Explains Codette Desktop offline. Trained on text written for it; knows nothing else.")
    writer.add_license("Apache-2.0")
    writer.add_file_type(file_type)
    writer.add_quantization_version(2)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(EPSILON)
    vocabulary.write(writer)
    if network is not None:
        for key, weight in network.state_dict().items():
            data = weight.detach().float().numpy()
            if data.ndim == 1:
                writer.add_tensor(key, data)
            else:
                packed = quants.quantize(data, kind)
                writer.add_tensor(key, packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class FileTokenizer:
    """llama.cpp's own tokenizer for a GGUF file."""

    def __init__(self, path: Path) -> None:
        low.llama_backend_init()
        parameters = low.llama_model_default_params()
        parameters.vocab_only = True
        self._model = low.llama_model_load_from_file(str(path).encode(), parameters)
        if not self._model:
            raise ValueError(f"llama.cpp cannot read the vocabulary of {path}")
        self._vocabulary = low.llama_model_get_vocab(self._model)

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids of `text`; control tokens are recognised only when `special`."""
        data = text.encode()
        room = len(data) + 8
        ids = (low.llama_token * room)()
        count = low.llama_tokenize(self._vocabulary, data, len(data), ids, room, False, special)
        return list(ids[:count])

    def decode(self, ids: list[int]) -> str:
        """The text of token ids."""
        buffer = ctypes.create_string_buffer(256)
        pieces: list[bytes] = []
        for token in ids:
            size = low.llama_token_to_piece(self._vocabulary, token, buffer, 256, 0, True)
            pieces.append(buffer.raw[:size])
        return b"".join(pieces).decode("utf-8", "replace")
