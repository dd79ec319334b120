"""Servers: places other than this process where models answer over HTTP."""

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from codette_desktop.domain.errors import InvalidRequest

_NAME = re.compile(r"[\w][\w .-]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

OUTSIDE = "outside this computer"


class ServerKind(StrEnum):
    """Which protocol a server speaks."""

    AUTO = "auto"  # found out at the first contact
    OLLAMA = "ollama"
    OPENAI = "openai"  # LM Studio, llama.cpp's server, vLLM, and whatever else speaks OpenAI's protocol


@dataclass(frozen=True, slots=True)
class Server:
    """A server the person named. Only the *name* of the environment variable that holds its token is ever kept."""

    name: str
    url: str
    kind: ServerKind = ServerKind.AUTO
    token_env: str = ""

    @property
    def host(self) -> str:
        """Host and port as people read them: "127.0.0.1:11434"."""
        return urlsplit(self.url).netloc

    @property
    def place(self) -> str:
        """Where an answer of its models was made: "Workshop at 10.0.0.5:11434, outside this computer"."""
        return f"{self.name} at {self.host}{f', {OUTSIDE}' if self.remote else ''}"

    @property
    def remote(self) -> bool:
        """Whether what is sent there leaves this computer."""
        return not is_loopback(urlsplit(self.url).hostname or "")

    @classmethod
    def checked(cls, name: str, url: str, kind: ServerKind | str = ServerKind.AUTO, token_env: str = "") -> "Server":
        """A server of what a person typed, its URL in one form; raises InvalidRequest and says what is wrong."""
        name, token_env = name.strip(), token_env.strip()
        if not _NAME.fullmatch(name):
            raise InvalidRequest(
                f"'{name}' cannot be the name of a server." if name else "The server has no name.",
                "Use up to 40 letters, digits, blanks, dots, hyphens or underscores.",
            )
        if token_env and not _VARIABLE.fullmatch(token_env):
            raise InvalidRequest(
                "The token variable is no name of an environment variable.",
                "Give the variable's name, such as MY_SERVER_TOKEN, never the token itself: tokens are not kept.",
            )
        try:
            return cls(name, _checked_url(url), ServerKind(kind), token_env)
        except ValueError:
            raise InvalidRequest(f"There is no kind of server '{kind}'.", "Use auto, ollama or openai.") from None


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this very computer."""
    host = host.rstrip(".").casefold()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _checked_url(url: str) -> str:
    text = url.strip()
    if text and "://" not in text:
        text = f"http://{text}"
    hint = "Give an address like http://127.0.0.1:11434."
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\\]", text):
        raise InvalidRequest(f"'{url.strip()}' is no address of a server.", hint)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise InvalidRequest(
            "The address holds a name, a password or a query.",
            "Leave them out; a token goes into an environment variable, whose name is given apart.",
        )
    if host in ("0.0.0.0", "::"):  # noqa: S104 - what servers print as theirs; asked, it means this computer
        host = "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/v1")
    return f"{parts.scheme}://{shown}{f':{port}' if port is not None else ''}{path}"
