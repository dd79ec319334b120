"""Messages: who said what."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The speaker of a message, by the names chat templates use."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str

    @property
    def hash(self) -> str:
        """SHA-256 (hexadecimal) of role and content: equal messages have one identity, wherever they stand."""
        digest = hashlib.sha256(self.role.encode() + b"\0" + self.content.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()
