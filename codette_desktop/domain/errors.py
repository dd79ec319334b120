"""Every error the application shows to a person.

CodetteError
├── InvalidRequest          the request itself cannot be served (bad grammar, empty prompt, wrong range)
│   └── PromptTooLong       the question alone does not fit the context
├── ModelError
│   ├── ModelNotFound       no model of that name, no file at that path
│   ├── ModelFileError      the file is not a GGUF that can be read
│   │   ├── TruncatedModel  it ends before its header says it should
│   │   └── UnsupportedModel  readable, but this engine cannot run it
│   └── ModelLoadFailed     the engine refused it (memory, corrupt weights)
├── EngineFailure           the engine failed while answering
├── ContestantFailed        a contestant of a duel gave no answer
├── ServerError             a server of models cannot do what was asked
│   ├── ServerUnreachable   nothing answers at its address, or not in time
│   ├── ServerRefused       it wants a token, or does not accept this one
│   └── ServerFailed        it failed, or sent something that is no answer
├── ConfigurationError      the configuration file cannot be read or changed
├── Cancelled               the person stopped it
└── StoreError
    ├── StoreTooNew         the database was written by a newer version
    ├── StoreDamaged        SQLite cannot read the database
    └── StoreFull           the disk is full, or the database cannot be written
"""

import re


class CodetteError(Exception):
    """An expected failure, told in words.

    `message` says what happened, `hint` what the person can do, `retryable` whether the same call may succeed later.
    """

    retryable = False
    default_hint = ""

    def __init__(self, message: str, hint: str = "", *, retryable: bool | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


def type_in_words(error_type: str) -> str:
    """The class of an error as a person reads it: "server unreachable" for "ServerUnreachable"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", error_type).lower() or "unknown error"


class InvalidRequest(CodetteError):
    """The request cannot be served as it is."""


class PromptTooLong(InvalidRequest):
    """System prompt and question alone exceed the context; nothing can be left out without changing them."""

    default_hint = "Shorten the question or the system prompt, or choose a model with a longer context."


class ModelError(CodetteError):
    """Something is wrong with a model."""


class ModelNotFound(ModelError):
    """There is no such model."""

    default_hint = "Choose a model from the list, or give the path of a .gguf file."


class ModelFileError(ModelError):
    """The file is not a model that can be read."""

    default_hint = "Download the file again, or choose another model."


class TruncatedModel(ModelFileError):
    """The file ends before its header says it should."""

    default_hint = "The download was probably interrupted: download the file again."


class UnsupportedModel(ModelFileError):
    """The file is well formed, but this engine cannot run it."""

    default_hint = "Choose another model, or another quantisation of this one."


class ModelLoadFailed(ModelError):
    """The engine refused the model."""


class EngineFailure(CodetteError):
    """The engine failed while it was answering."""

    retryable = True


class ContestantFailed(CodetteError):
    """A contestant of a duel gave no answer. `place` says which of those that were asked."""

    def __init__(self, message: str, hint: str = "", *, retryable: bool | None = None, place: int = 0) -> None:
        super().__init__(message, hint, retryable=retryable)
        self.place = place


class ServerError(CodetteError):
    """A server of models cannot do what was asked."""


class ServerUnreachable(ServerError):
    """Nothing answers at the server's address, or not in time."""

    retryable = True


class ServerRefused(ServerError):
    """The server wants a token, or does not accept the one it was given."""


class ServerFailed(ServerError):
    """The server failed, or what it sent is no answer."""

    retryable = True


class ConfigurationError(CodetteError):
    """The configuration file cannot be read, or a change to it would be a mistake."""


class Cancelled(CodetteError):
    """The person stopped the work."""


class StoreError(CodetteError):
    """The database cannot do what was asked."""


class StoreTooNew(StoreError):
    """The database was written by a newer version of the application."""

    default_hint = "Start the newer version, or choose another data folder with --data-dir."


class StoreDamaged(StoreError):
    """SQLite cannot read the database."""

    default_hint = "Restore a backup from the folder 'backups' beside it."


class StoreFull(StoreError):
    """The database cannot be written: most often the disk is full."""

    default_hint = "Free some disk space. What was saved before is safe."
    retryable = True
