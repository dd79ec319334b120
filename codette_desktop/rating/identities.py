"""Names of language models and of those who make them, and what belongs to no name."""

import re

# Family -> who makes it. Both as they are written in an answer, in lower case.
MAKERS_OF = {
    "llama": ("meta", "meta ai", "facebook"),
    "qwen": ("alibaba", "alibaba cloud", "阿里云", "阿里巴巴"),
    "tongyi": ("alibaba", "alibaba cloud", "阿里云"),
    "通义千问": ("alibaba", "alibaba cloud", "阿里云", "阿里巴巴"),
    "gemma": ("google", "deepmind", "google deepmind"),
    "gemini": ("google", "deepmind", "google deepmind"),
    "bard": ("google",),
    "palm": ("google",),
    "mistral": ("mistral ai",),
    "mixtral": ("mistral ai",),
    "ministral": ("mistral ai",),
    "codestral": ("mistral ai",),
    "phi": ("microsoft", "microsoft research"),
    "copilot": ("microsoft", "github"),
    "gpt": ("openai",),
    "chatgpt": ("openai",),
    "claude": ("anthropic",),
    "deepseek": ("deepseek ai", "深度求索"),
    "grok": ("xai",),
    "falcon": ("tii", "technology innovation institute"),
    "olmo": ("ai2", "allen institute for ai"),
    "granite": ("ibm",),
    "nemotron": ("nvidia",),
    "smollm": ("hugging face", "huggingface"),
    "tinyllama": (),
    "codellama": ("meta", "meta ai"),
    "vicuna": ("lmsys",),
    "alpaca": ("stanford",),
    "koala": ("berkeley",),
    "dolly": ("databricks",),
    "zephyr": ("hugging face", "huggingface"),
    "hermes": ("nous research",),
    "yi": ("01.ai", "零一万物"),
    "glm": ("zhipu", "zhipu ai", "智谱"),
    "chatglm": ("zhipu", "zhipu ai", "智谱"),
    "kimi": ("moonshot", "moonshot ai", "月之暗面"),
    "ernie": ("baidu", "百度"),
    "hunyuan": ("tencent", "腾讯"),
    "doubao": ("bytedance", "字节跳动"),
    "internlm": ("shanghai ai laboratory",),
    "baichuan": ("baichuan ai", "百川智能"),
    "minimax": (),
    "nova": ("amazon",),
    "command-r": ("cohere",),
    "stablelm": ("stability ai",),
    "starcoder": ("bigcode",),
    "gigachat": ("sber", "сбер"),
    "codette": (),
}
# Words that mean something else too: outside of a self-naming phrase they are names only with a capital or a number.
ORDINARY = frozenset(
    "llama gemma gemini bard palm mistral phi copilot claude grok falcon granite alpaca koala dolly zephyr hermes yi "
    "nova ernie".split()
)
# What stands in the name of a file or of a model and is nobody's name: sizes, quantisations, kinds.
_NO_NAME = re.compile(
    r"""(?ix) \d+(?:\.\d+)* | v\d+(?:\.\d+)* | \d+(?:x\d+)?(?:\.\d+)?[bmk] | a\d+b | [kslmx]{1,2}
    | i?q\d\w* | t?q\d_\w+ | b?f(?:p)?(?:16|32|8) | int[48] | gguf | ggml | bin | safetensors | imatrix
    | lora | qlora | adapter | instruct | instruction | it | chat | base | pretrained | model | models | latest
    | default | tuned | finetuned | fine | distill | distilled | mini | tiny | small | medium | large | huge | nano
    | micro | turbo | pro | preview | beta | alpha | test | assistant | ai | llm | bot | chatbot | hf | ud | awq | gptq
    | exl2"""
)


def is_no_name(word: str) -> bool:
    """Whether a part of a model's name tells nothing of who it is."""
    return _NO_NAME.fullmatch(word) is not None
