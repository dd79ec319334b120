"""Makes the weights of the task classifier, and measures them on prompts that had no part in it.

    python packaging/routing/train.py             write resources/routing/weights.json
    python packaging/routing/train.py --measure   and then the card: README.md and measured.json beside it

Takes some seconds, needs numpy alone, and gives the same file every time. Weights are kept with two decimals.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import card  # noqa: E402
import regression  # noqa: E402

from codette_desktop.domain.tasks import TaskType  # noqa: E402
from codette_desktop.inference.routing import features  # noqa: E402

TRAINING, HELD_OUT = HERE / "prompts_train.jsonl", HERE / "prompts_held_out.jsonl"
RESOURCES = HERE.parents[1] / "resources" / "routing"
SCALE = 100
# Chosen by five-fold cross-validation on the training prompts: words, pairs and parts count 1, hand-made knowledge
# (word families, structure) counts double.
KINDS = {"w": 1.0, "1": 1.0, "2": 1.0, "b": 1.0, "g": 1.0, "#": 2.0, "@": 2.0, "!": 2.0}
RIDGE, STEPS, LEAST = 0.03, 100, 2


def prompts(path: Path) -> list[tuple[str, str, str]]:
    """(task type, language, text) of every line."""
    rows: list[dict[str, str]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(row["task"], row["language"], row["text"]) for row in rows]


def weights_of(examples: list[tuple[str, str, str]]) -> dict[str, Any]:
    """The content of weights.json; features whose weights all round to nothing are left out."""
    types = [kind.value for kind in TaskType]
    documents = [features.features(features.read(text)) for _, _, text in examples]
    columns = regression.vocabulary(documents, LEAST)
    matrix = regression.design(documents, columns, KINDS)
    labels = np.array([types.index(kind) for kind, _, _ in examples], np.int64)
    weights, bias = regression.fit(matrix, labels, len(types), RIDGE, STEPS)
    rounded = np.rint(weights * SCALE).astype(int).tolist()
    table = {name: rounded[column] for name, column in columns.items() if any(rounded[column])}
    return {
        "types": types,
        "scale": SCALE,
        "kinds": KINDS,
        "bias": np.rint(bias * SCALE).astype(int).tolist(),
        "features": table,
    }


def as_text(weights: dict[str, Any]) -> str:
    """JSON with a line for every feature, so that a change can be read."""
    head = {name: value for name, value in weights.items() if name != "features"}
    lines = [f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(row)}" for name, row in weights["features"].items()]
    opening = json.dumps(head, ensure_ascii=False).removesuffix("}")
    return f'{opening}, "features": {{\n' + ",\n".join(lines) + "\n}}\n"


def main() -> None:
    """Train, and measure where that is asked for."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--measure", action="store_true", help="measure on the held-out prompts and write the card")
    arguments.add_argument("--to", type=Path, default=RESOURCES, help="the folder to write into")
    chosen = arguments.parse_args()
    examples = prompts(TRAINING)
    chosen.to.mkdir(parents=True, exist_ok=True)
    (chosen.to / "weights.json").write_text(as_text(weights_of(examples)), encoding="utf-8", newline="\n")
    print(f"weights of {len(examples)} prompts written")
    if chosen.measure:
        print(card.write(chosen.to, prompts(HELD_OUT), len(examples)))


if __name__ == "__main__":
    main()
