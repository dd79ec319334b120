"""Averages the weights of two trainings of one starter model, one of which went on from the other, and writes GGUF.

    python packaging/starter/average.py small FIRST.pt SECOND.pt --share 0.3

Weights along one training path average to a model that is often better than both (Izmailov et al. 2018).
"""

import argparse
from pathlib import Path

import torch
from gguf_file import write
from lessons import Corpus
from network import Network
from train import PLANS, WORK, make_vocabulary


def average(size: str, first: Path, second: Path, share: float, quantisation: str = "Q8_0") -> Path:
    """`share` of the second's weights and the rest of the first's; returns the path of the GGUF file."""
    one, other = (torch.load(path, weights_only=True) for path in (first, second))
    network = Network(PLANS[size].shape)
    network.load_state_dict({name: one[name].lerp(other[name], share) for name in one})
    target = WORK / f"guide-{size[0]}-{quantisation.lower()}.gguf"
    vocabulary = make_vocabulary(size, Corpus())
    write(target, PLANS[size].shape, vocabulary, network, name=PLANS[size].title, quantisation=quantisation)
    return target


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Average two trainings of a starter model.")
    parser.add_argument("size", choices=sorted(PLANS))
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of the second, from 0 to 1")
    chosen = parser.parse_args()
    print(average(chosen.size, chosen.first, chosen.second, chosen.share))


if __name__ == "__main__":
    main()
