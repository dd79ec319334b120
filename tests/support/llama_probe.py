"""A child process that loads models in llama.cpp and writes with them; run as a script, one path a line on stdin.

For each it prints `answer: ` and what came of it; whoever reads knows by the missing line which file crashed it.
"""

import ctypes
import sys

ANSWER = "answer: "
TEXT = "<|im_start|>user\nWhat does Ω mean? \u2603 \U0001f600 naïve 你好\t\n\n  1234 'll<|im_end|>\n".encode()


def probe(path: str) -> str:
    """Load, tokenise, decode a prompt and two sampled tokens. "refused" is a load that llama.cpp declines in words."""
    from llama_cpp import llama_cpp as api

    settings = api.llama_model_default_params()
    settings.use_extra_bufts = False  # on machines with AMX these crash with sound models
    settings.n_gpu_layers = 0
    model = api.llama_model_load_from_file(path.encode(), settings)
    if not model:
        return "refused"
    wanted = api.llama_context_default_params()
    wanted.n_ctx, wanted.n_batch, wanted.n_ubatch, wanted.n_threads, wanted.n_threads_batch = 256, 256, 256, 1, 1
    context = api.llama_init_from_model(model, wanted)
    if not context:
        api.llama_model_free(model)
        return "no context"
    answer = _write(api, model, context)
    api.llama_free(context)
    api.llama_model_free(model)
    return answer


def _write(api, model, context) -> str:
    vocabulary = api.llama_model_get_vocab(model)
    tokens = (api.llama_token * 200)()
    count = api.llama_tokenize(vocabulary, TEXT, len(TEXT), tokens, len(tokens), True, True)
    if count < 2:
        return f"{count} tokens"
    chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    for part in (
        api.llama_sampler_init_top_k(40),
        api.llama_sampler_init_penalties(api.llama_vocab_n_tokens(vocabulary), 64, 1.1, 0.0, 0.0),
        api.llama_sampler_init_top_p(0.95, 1),
        api.llama_sampler_init_min_p(0.05, 1),
        api.llama_sampler_init_temp(0.7),
        api.llama_sampler_init_dist(1),
    ):
        api.llama_sampler_chain_add(chain, part)
    piece = ctypes.create_string_buffer(256)
    batch = api.llama_batch_get_one(tokens, count)
    written = 0
    for _ in range(3):
        if api.llama_decode(context, batch):
            break
        token = api.llama_sampler_sample(chain, context, -1)
        api.llama_token_to_piece(vocabulary, token, piece, len(piece), 0, True)
        written += 1
        following = (api.llama_token * 1)(token)
        batch = api.llama_batch_get_one(following, 1)
    api.llama_sampler_free(chain)
    return f"wrote {written}"


def main() -> None:
    """Probe every path given on standard input."""
    from llama_cpp import llama_cpp as api

    quiet = api.llama_log_callback(lambda level, text, data: None)
    api.llama_log_set(quiet, ctypes.c_void_p(0))
    for line in sys.stdin:
        sys.stdout.write(f"{ANSWER}{probe(line.rstrip(chr(10)))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
