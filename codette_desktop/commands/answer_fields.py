"""An answer as the commands print it in JSON: times in ms, counts in tokens."""

from typing import Any

from codette_desktop.domain.answers import AnswerEnd
from codette_desktop.inference.dispatch import Plan


def answer_fields(answer: str, end: AnswerEnd, quantisation: str, plan: Plan | None = None) -> dict[str, Any]:
    """What `ask --json` prints. `plan` is that of "auto"."""
    figures = end.figures
    chosen = {"task": plan.task.type.value, "reasons": list(plan.reasons)} if plan is not None else {}
    return {
        "answer": answer,
        "model": end.model,
        "quantisation": quantisation,
        "prompt_tokens": figures.prompt_tokens,
        "completion_tokens": figures.completion_tokens,
        "tokens_per_second": round(figures.tokens_per_second, 2),
        "time_to_first_token_ms": round(figures.time_to_first_token_ms, 2),
        "load_ms": round(figures.load_ms, 2),
        "total_ms": round(figures.total_ms, 2),
        "cached": figures.cached,
        "seed": end.seed,
        "finish_reason": end.reason.value,
        "context_length": end.use.length,
        "left_out_messages": end.use.left_out_messages,
        "model_hash": end.model_hash,
        "engine": end.engine_build,
        "device": end.device,
        "note": end.note,
        **chosen,
    }
