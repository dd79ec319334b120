"""What ensembles of the starter models gain over the best of them alone, on the three suites that come along.

    python -m tests.benchmarks.bench_proof [--models guide-s-q8_0,guide-m-q8_0,...] [--data-dir DIR]

More members are trained with `packaging/starter/train.py --seed N` and lie in DIR/models.
"""

import argparse
import subprocess
import sys

SUITES = ("arithmetic", "choice", "guide")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", default="guide-s-q8_0,guide-m-q8_0")
    parser.add_argument("--data-dir", default="")
    chosen = parser.parse_args()
    folder = ["--data-dir", chosen.data_dir] if chosen.data_dir else []
    for suite in SUITES:
        command = ["-m", "codette_desktop", *folder, "evaluate", suite, "--models", chosen.models, "--methods", "all"]
        subprocess.run([sys.executable, *command], check=True)
        print()


if __name__ == "__main__":
    main()
