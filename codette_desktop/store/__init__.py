"""The one SQLite file: writer, readers, migrations, and one module per subject. SQL is written nowhere else."""

from codette_desktop.store.conversations import Conversations
from codette_desktop.store.generations import Generations
from codette_desktop.store.model_files import ModelFiles
from codette_desktop.store.presets import Presets
from codette_desktop.store.profiles import Profiles
from codette_desktop.store.responses import Responses
from codette_desktop.store.settings import Settings
from codette_desktop.store.store import Store
from codette_desktop.store.writer import WriteFailures

__all__ = [
    "Conversations",
    "Generations",
    "ModelFiles",
    "Presets",
    "Profiles",
    "Responses",
    "Settings",
    "Store",
    "WriteFailures",
]
