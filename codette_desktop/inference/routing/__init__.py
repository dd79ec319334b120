"""Routing: which model should answer a request, and why. Pure and synchronous; nothing here asks a model anything."""

from codette_desktop.domain.tasks import Needs, Task, TaskType
from codette_desktop.inference.routing.candidates import Candidate, RoutableModel, ScoreParts
from codette_desktop.inference.routing.capabilities import Capability
from codette_desktop.inference.routing.health import Health, HealthState
from codette_desktop.inference.routing.learning import Learner
from codette_desktop.inference.routing.preferences import Preferences
from codette_desktop.inference.routing.router import Ranking, Router

__all__ = [
    "Candidate",
    "Capability",
    "Health",
    "HealthState",
    "Learner",
    "Needs",
    "Preferences",
    "Ranking",
    "RoutableModel",
    "Router",
    "ScoreParts",
    "Task",
    "TaskType",
]
