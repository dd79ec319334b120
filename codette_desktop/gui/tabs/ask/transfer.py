"""Conversations as files: Markdown to read, JSON to import again. No Qt."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codette_desktop.domain.conversations import Conversation, Node
from codette_desktop.domain.errors import CodetteError, InvalidRequest
from codette_desktop.domain.messages import Role
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.tabs.ask.wording import figures_line, reason_text

MOST_BYTES = 256 * 1024 * 1024
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]+')


def file_name(title: str, suffix: str) -> str:
    """A name every file system takes."""
    name = " ".join(_FORBIDDEN.sub(" ", title).split())[:60].strip(" .")
    return (name or tr("conversation")) + suffix


def to_markdown(conversation: Conversation, nodes: Sequence[Node]) -> str:
    """The branch on view, with who said it and how it was produced."""
    parts = [f"# {conversation.title or tr('Conversation')}", ""]
    if conversation.system_prompt.strip():
        parts += [f"> {line}" for line in conversation.system_prompt.strip().splitlines()] + [""]
    for node in nodes:
        parts += _message(node)
    return "\n".join(parts).rstrip() + "\n"


def _message(node: Node) -> list[str]:
    moment = f"{node.created_at.astimezone():%Y-%m-%d %H:%M}"
    who = tr("You") if node.message.role is Role.USER else tr("Answer")
    parts = [f"## {who} · {moment}", "", node.message.content.strip(), ""]
    if node.generation is not None:
        line = figures_line(node.generation)
        seed = f" · {tr('seed {seed}', seed=node.generation.seed)}" if node.generation.seed is not None else ""
        parts += [f"<sub>{line}{seed}</sub>", ""]
        if reason := reason_text(node.generation):
            parts += [f"<sub>{reason}</sub>", ""]
    return parts


def to_json(data: Mapping[str, Any]) -> str:
    """What `store.conversations.export` gave, readable and stable."""
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def write(path: Path, text: str) -> None:
    """Write beside the target and put it in its place, so that a full disk leaves no half file. Raises CodetteError."""
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_text(text, encoding="utf-8", errors="replace")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CodetteError(
            tr("{name} could not be written: {why}", name=path.name, why=error.strerror or error)
        ) from error


def read(path: Path) -> dict[str, Any]:
    """The contents of an exported file. Raises InvalidRequest for anything else."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InvalidRequest(tr("The file is too large to be a conversation."))
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequest(tr("The file cannot be read: {why}", why=error.strerror or error)) from error
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(tr("This is not a JSON file."), tr("Choose a file that was exported as JSON.")) from error
    if not isinstance(data, dict):
        raise InvalidRequest(
            tr("This is not an exported conversation."), tr("Choose a file that was exported as JSON.")
        )
    return data
