"""What the Ask tab says about answers, moments and errors. No Qt."""

from datetime import UTC, date, datetime

from codette_desktop.domain.answers import AnswerFigures, FinishReason
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.servers import OUTSIDE
from codette_desktop.gui.i18n import number, tr

GROUPS = ("today", "yesterday", "week", "older")


def group_of(moment: datetime, today: date) -> str:
    """The group of the side list a conversation updated at `moment` stands in; `today` is a local date."""
    days = (today - moment.astimezone().date()).days
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    return "week" if days <= 7 else "older"


def group_title(group: str) -> str:
    """The heading of a group."""
    return {
        "today": tr("Today"),
        "yesterday": tr("Yesterday"),
        "week": tr("Previous 7 days"),
        "older": tr("Older"),
    }[group]


def clock(moment: datetime, today: date) -> str:
    """The time of a message: only the clock today, with the date otherwise."""
    local = moment.astimezone()
    if local.date() == today:
        return f"{local:%H:%M}"
    if local.year == today.year:
        return f"{local:%d %b %H:%M}"
    return f"{local:%d %b %Y %H:%M}"


def model_label(generation: Generation) -> str:
    """Name and quantisation of the model that answered."""
    return generation.model_label or generation.model or tr("Unknown model")


def speaker(generation: Generation | None) -> str:
    """Who answered, without the quantisation."""
    return model_label(generation).split(" · ")[0] if generation else tr("Assistant")


def figures_line(generation: Generation) -> str:
    """ "Guide M · Q8_0 · 84 tokens · 212 tok/s · first token 18 ms · cached"."""
    parts = [model_label(generation)]
    if generation.device.endswith(OUTSIDE):
        parts.append(tr("outside this computer"))
    figures = generation.figures
    if figures is not None:
        count = figures.completion_tokens
        parts.append(tr("1 token") if count == 1 else tr("{count} tokens", count=number(count)))
        if figures.tokens_per_second > 0:
            parts.append(tr("{speed} tok/s", speed=speed(figures.tokens_per_second)))
        if figures.completion_tokens > 0:
            parts.append(tr("first token {time}", time=duration(figures.time_to_first_token_ms)))
        if figures.cached:
            parts.append(tr("cached"))
    return " · ".join(parts)


def speed(tokens_per_second: float) -> str:
    """Three figures are enough."""
    return number(tokens_per_second, 0 if tokens_per_second >= 20 else 1)


def duration(milliseconds: float) -> str:
    """18 ms, 1.4 s, 2 min 05 s."""
    if milliseconds < 1000:
        return tr("{n} ms", n=number(milliseconds))
    if milliseconds < 60_000:
        return tr("{n} s", n=number(milliseconds / 1000, 1))
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return tr("{minutes} min {seconds} s", minutes=minutes, seconds=f"{seconds:02}")


def reason_text(generation: Generation) -> str:
    """Why an answer ended, when that is not what one expects; "" for a normal end."""
    match generation.reason:
        case FinishReason.LENGTH:
            return _length_text(generation)
        case FinishReason.CANCELLED:
            return tr("Stopped by you.")
        case FinishReason.INTERRUPTED:
            return tr("Interrupted: the application was closed while this was being written. Answer again to retry.")
        case FinishReason.FAILED:
            return generation.error or tr("This answer failed.")
        case _:
            return ""


def _length_text(generation: Generation) -> str:
    if generation.sampling.max_tokens is not None and (
        generation.figures is None or generation.figures.completion_tokens >= generation.sampling.max_tokens
    ):
        return tr("Length limit reached: raise the longest answer (max tokens) in the chat's settings.")
    return tr("The context is full: the answer had no room left. Start a new chat, or use a model with more context.")


def left_out_text(count: int) -> str:
    """The note above an answer whose oldest messages did not fit."""
    if count == 1:
        return tr("1 older message was left out because the context is full.")
    return tr("{count} older messages were left out because the context is full.", count=number(count))


def note_text(generation: Generation) -> str:
    """What must be told above an answer: messages that were left out, a prompt its server cut."""
    count = generation.use.left_out_messages if generation.use else 0
    return "\n".join(text for text in (left_out_text(count) if count else "", generation.note) if text)


def error_text(error: CodetteError) -> str:
    """What happened and what one can do, in one paragraph."""
    return f"{error.message} {error.hint}".strip()


def parameters_text(generation: Generation) -> str:
    """All that produced an answer, a line each (tooltip)."""
    lines = [
        (tr("Model"), generation.model),
        (tr("Device"), generation.device),
        *sampling_lines(generation.sampling, generation.seed),
        (tr("Engine"), generation.engine_build),
    ]
    figures = generation.figures
    if figures is not None:
        lines.append((tr("Prompt"), tr("{count} tokens", count=number(figures.prompt_tokens))))
        if figures.reused_tokens:
            lines.append((tr("Read before"), tr("{count} tokens", count=number(figures.reused_tokens))))
        if figures.load_ms >= 1:
            lines.append((tr("Loading the model"), duration(figures.load_ms)))
        lines.append((tr("Whole answer"), duration(figures.total_ms)))
    text = "\n".join(f"{name}: {value}" for name, value in lines if value not in ("", None))
    return f"{cached_text(figures)}\n\n{text}" if figures is not None and figures.cached else text


def cached_text(figures: AnswerFigures) -> str:
    """That an answer was not written just now, when it was, and how to have another."""
    written = datetime.fromtimestamp(figures.first_written_s, UTC)
    return tr(
        "Answered from the cache in {time}; first written at {moment}. “Answer again” asks the model itself.",
        time=tr("{n} ms", n=number(figures.total_ms, 1)) if figures.total_ms < 10 else duration(figures.total_ms),
        moment=clock(written, datetime.now(UTC).astimezone().date()),
    )


def sampling_lines(sampling: Sampling, seed: int | None = None) -> list[tuple[str, str]]:
    """The parameters by their names."""
    lines = [
        (tr("Temperature"), f"{sampling.temperature:g}"),
        ("Top-k", number(sampling.top_k)),
        ("Top-p", f"{sampling.top_p:g}"),
        ("Min-p", f"{sampling.min_p:g}"),
    ]
    if sampling.repeat_penalty != 1:
        lines.append((tr("Repeat penalty"), f"{sampling.repeat_penalty:g}"))
    if sampling.frequency_penalty:
        lines.append((tr("Frequency penalty"), f"{sampling.frequency_penalty:g}"))
    if sampling.presence_penalty:
        lines.append((tr("Presence penalty"), f"{sampling.presence_penalty:g}"))
    if sampling.max_tokens is not None:
        lines.append((tr("Longest answer"), tr("{count} tokens", count=number(sampling.max_tokens))))
    if sampling.stop:
        lines.append((tr("Stop at"), ", ".join(repr(text) for text in sampling.stop)))
    shown_seed = seed if seed is not None else sampling.seed
    if shown_seed is not None:
        lines.append((tr("Seed"), str(shown_seed)))
    return lines
