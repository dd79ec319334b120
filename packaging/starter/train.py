"""Trains a starter model on two CPU cores and writes it as GGUF.

    python packaging/starter/train.py small --minutes 60
    python packaging/starter/train.py small --minutes 60 --seed 31 --name sister-31

The second line trains a sister: the same model from another random start, to be a member of an ensemble.
The learning rate follows the clock, so that a slower machine ends in the same time with a less trained model.
"""

import argparse
import math
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from gguf_file import FileTokenizer, write
from lessons import Corpus, RowMaker
from network import Muon, Network, Shape
from torch.nn import functional as F
from vocabulary import Vocabulary, byte_level, sentence_piece

WORK = Path(__file__).resolve().parents[2] / ".starter-work"
BATCH_TOKENS = 4096
ROW_LENGTHS = (256, 256, 256, 256, 512, 1024)
SINGLE_SHARE = 0.65


@dataclass(frozen=True, slots=True)
class Plan:
    """One starter model."""

    title: str
    shape: Shape
    seed: int


PLANS = {
    "small": Plan("Guide S", Shape(vocabulary=2048, width=256, layers=4, heads=4, hidden=640), seed=11),
    "medium": Plan("Guide M", Shape(vocabulary=3072, width=384, layers=4, heads=6, hidden=896), seed=23),
}


def make_vocabulary(size: str, corpus: Corpus) -> Vocabulary:
    """The tokenizer of a model, made once and kept; the two differ in kind, not only in size."""
    kept = Path(__file__).resolve().parent / "vocabularies" / f"{size}.json"
    if kept.exists():
        return Vocabulary.load(kept)
    build = sentence_piece if size == "small" else byte_level
    vocabulary = build(corpus.texts(), PLANS[size].shape.vocabulary)
    kept.parent.mkdir(exist_ok=True)
    vocabulary.save(kept)
    return vocabulary


def learning_rate(progress: float) -> float:
    """Factor on the peak rate: a short warm-up, flat, then linear down to zero over the last half."""
    return min(1.0, progress / 0.01) * min(1.0, (1.0 - progress) / 0.5)


def optimisers(network: Network, scale: float) -> list[torch.optim.Optimizer]:
    """Muon for the blocks' matrices, AdamW for the rest."""
    matrices = [weight for weight in network.blk.parameters() if weight.ndim == 2]
    chosen = {id(weight) for weight in matrices}
    rest = [weight for weight in network.parameters() if id(weight) not in chosen]
    both: list[torch.optim.Optimizer] = [
        Muon(matrices, lr=0.02 * scale),
        torch.optim.AdamW(rest, lr=3e-3 * scale, betas=(0.9, 0.98), weight_decay=0.01),
    ]
    for optimiser in both:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return both


class Batches:
    """Serves batches of about BATCH_TOKENS tokens: mostly first questions, the rest conversations of several turns."""

    def __init__(self, rows: RowMaker, chance: random.Random) -> None:
        self._rows = rows
        self._chance = chance
        self._singles: list[tuple[list[list[int]], list[list[int]]]] = []

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens and targets, both (rows, time)."""
        if self._chance.random() < SINGLE_SHARE:
            self._singles = self._singles or self._rows.single_batches(BATCH_TOKENS, self._chance)
            tokens, targets = self._singles.pop()
        else:
            length = self._chance.choice(ROW_LENGTHS)
            pairs = [self._rows.row(length, self._chance) for _ in range(BATCH_TOKENS // length)]
            tokens, targets = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        return torch.tensor(tokens), torch.tensor(targets)


def loss_of(network: Network, tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over the learned positions only; the others never reach the output matrix."""
    learned = targets != -100
    return F.cross_entropy(network.logits(network(tokens)[learned]), targets[learned])


@torch.no_grad()
def exact_share(network: Network, rows: RowMaker, pairs: list[tuple[str, str]]) -> float:
    """Share of questions whose whole answer is what greedy decoding would give, computed in one pass a question."""
    right = 0
    for question, answer in pairs:
        prompt, wanted = rows.prompt(question), rows.answer(answer)
        tokens = torch.tensor([prompt + wanted])
        said = network.logits(network(tokens)[0, len(prompt) - 1 : -1]).argmax(-1)
        right += said.tolist() == wanted
    return right / len(pairs)


def train(
    size: str, minutes: float, threads: int, resume: Path | None, scale: float, seed: int | None = None, name: str = ""
) -> Path:
    """Train for `minutes` of wall time; returns the path of the weights.

    `seed` is the random start (None: the plan's), `name` what the files begin with ("": the shipped model's).
    """
    torch.set_num_threads(threads)
    plan = PLANS[size]
    seed = plan.seed if seed is None else seed
    torch.manual_seed(seed)
    chance = random.Random(time.time_ns() if resume else seed)
    WORK.mkdir(exist_ok=True)
    corpus = Corpus()
    vocabulary = make_vocabulary(size, corpus)
    vocabulary_file = WORK / f"{size}-vocabulary.gguf"
    write(vocabulary_file, plan.shape, vocabulary, None)
    rows = RowMaker(corpus, vocabulary, FileTokenizer(vocabulary_file).encode)
    network = Network(plan.shape)
    if resume:
        network.load_state_dict(torch.load(resume, weights_only=True))
    both = optimisers(network, scale)
    checks = _checks(corpus)
    batches = Batches(rows, chance)
    start, last, seen, step = time.monotonic(), time.monotonic(), 0, 0
    weights = WORK / f"{name or size}.pt"
    while (progress := (time.monotonic() - start) / (minutes * 60)) < 1:
        tokens, targets = batches.draw()
        loss = _learn(network, both, tokens, targets, learning_rate(progress))
        step, seen = step + 1, seen + tokens.numel()
        if math.isnan(loss.item()):
            raise RuntimeError("the loss is not a number")
        if time.monotonic() - last > 180:
            last = time.monotonic()
            torch.save(network.state_dict(), weights)
            shares = "  ".join(f"{name} {exact_share(network, rows, pairs):.2f}" for name, pairs in checks.items())
            print(f"{progress:4.0%}  {seen / 1e6:.2f} M tokens  loss {loss.item():.3f}  {shares}", flush=True)
    torch.save(network.state_dict(), weights)
    shares = "  ".join(
        f"{name} {exact_share(network, rows, pairs):.3f}" for name, pairs in _checks(corpus, 10_000).items()
    )
    print(
        f"done  {seen / 1e6:.2f} M tokens in {step} steps, {network.parameter_count} parameters  {shares}", flush=True
    )
    _write_files(network, plan, vocabulary, name or f"guide-{size[0]}", name or plan.title)
    return weights


def _learn(
    network: Network, both: list[torch.optim.Optimizer], tokens: torch.Tensor, targets: torch.Tensor, rate: float
) -> torch.Tensor:
    """One step; gives the loss."""
    loss = loss_of(network, tokens, targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    for optimiser in both:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * rate
        optimiser.step()
        optimiser.zero_grad()
    return loss


def _write_files(network: Network, plan: Plan, vocabulary: Vocabulary, stem: str, title: str) -> None:
    for quantisation in ("F16", "Q8_0", "Q4_0"):
        target = WORK / f"{stem}-{quantisation.lower()}.gguf"
        write(target, plan.shape, vocabulary, network, name=title, quantisation=quantisation)


def _checks(corpus: Corpus, most: int = 120) -> dict[str, list[tuple[str, str]]]:
    import tasks
    from corpus import REFUSAL

    chance = random.Random(5)
    held_out = [(wording, topic.answer) for topic in corpus.topics for wording in topic.held_out]
    off_topic = [(question, REFUSAL) for question in corpus.off_topic_held_out]
    drawn = [tasks.draw(chance, measuring=True) for _ in range(min(most, 300))]
    return {
        "held-out": chance.sample(held_out, min(most, len(held_out))),
        "off-topic": chance.sample(off_topic, min(most, len(off_topic))),
        "tasks": [(task.question, task.answer) for task in drawn],
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Train a starter model.")
    parser.add_argument("size", choices=sorted(PLANS))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", type=Path, help="weights to start from")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the learning rates")
    parser.add_argument("--seed", type=int, help="random start, where it is not the shipped model's")
    parser.add_argument("--name", default="", help="what the files begin with, for a sister of the shipped model")
    chosen = parser.parse_args()
    train(chosen.size, chosen.minutes, chosen.threads, chosen.resume, chosen.scale, chosen.seed, chosen.name)


if __name__ == "__main__":
    main()
