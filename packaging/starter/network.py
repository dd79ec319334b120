"""A Llama-architecture decoder in PyTorch, laid out so that its weights go into a GGUF file as they are.

Touvron et al. 2023, "LLaMA": pre-normalisation (RMSNorm), rotary positions on neighbouring pairs, SwiGLU, no biases.
The embedding is tied to the output.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPSILON = 1e-5
ROPE_BASE = 10_000.0


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a network; `context` in tokens."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    hidden: int
    context: int = 1024


class RMSNorm(nn.Module):
    """Root-mean-square normalisation over the last axis with a learned gain (Zhang and Sennrich 2019)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, EPSILON)


class Block(nn.Module):
    """Attention and feed-forward, each behind a normalisation and added to the residual stream."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attn_norm = RMSNorm(shape.width)
        self.attn_q, self.attn_k, self.attn_v, self.attn_output = (
            nn.Linear(shape.width, shape.width, bias=False) for _ in range(4)
        )
        self.ffn_norm = RMSNorm(shape.width)
        self.ffn_gate = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        batch, time, width = x.shape
        normed = self.attn_norm(x)
        query, key, value = (
            layer(normed).view(batch, time, self.heads, -1).transpose(1, 2)
            for layer in (self.attn_q, self.attn_k, self.attn_v)
        )
        mixed = F.scaled_dot_product_attention(
            _rotate(query, cosine, sine), _rotate(key, cosine, sine), value, is_causal=True
        )
        x = x + self.attn_output(mixed.transpose(1, 2).reshape(batch, time, width))
        normed = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(normed)) * self.ffn_up(normed))


class Network(nn.Module):
    """Token ids (batch, time) to logits; `forward` returns the last hidden states, `logits` turns them into scores."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = RMSNorm(shape.width)
        self._initialise()
        cosine, sine = _rotations(shape)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)

    def _initialise(self) -> None:
        nn.init.normal_(self.token_embd.weight, std=0.02)
        scale = (2 * self.shape.layers) ** -0.5
        for name, weight in self.blk.named_parameters():
            if weight.ndim == 2:
                small = scale if name.split(".")[1] in ("attn_output", "ffn_down") else 1.0
                nn.init.normal_(weight, std=small * weight.shape[1] ** -0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        time = tokens.shape[1]
        x = self.token_embd(tokens)
        for block in self.blk:
            x = block(x, self.cosine[:time], self.sine[:time])
        return self.output_norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary, from the tied embedding."""
        return hidden @ self.token_embd.weight.T

    @property
    def parameter_count(self) -> int:
        """All trained numbers."""
        return sum(weight.numel() for weight in self.parameters())


def _rotations(shape: Shape) -> tuple[Tensor, Tensor]:
    size = shape.width // shape.heads
    speeds = ROPE_BASE ** (-torch.arange(0, size, 2) / size)
    angles = torch.outer(torch.arange(shape.context).float(), speeds)
    return angles.cos(), angles.sin()


def _rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary positions on neighbouring pairs (llama.cpp's "NORM" order), x: (batch, heads, time, size)."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1).flatten(-2)


class Muon(torch.optim.Optimizer):
    """Momentum whose update is orthogonalised (Jordan et al. 2024), for the weight matrices of the blocks.

    PyTorch's own runs its iteration in bfloat16, which processors without it emulate slowly; this one keeps float32.
    """

    def __init__(
        self, weights: list[nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.01
    ) -> None:
        super().__init__(weights, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # noqa: ARG002 - the base class has it
        for group in self.param_groups:
            for weight in group["params"]:
                past = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
                past.lerp_(weight.grad, 1 - group["momentum"])
                update = _orthogonalise(weight.grad.lerp(past, group["momentum"]))
                scale = max(1.0, weight.shape[0] / weight.shape[1]) ** 0.5
                weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"] * scale)


def _orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrix, by the quintic Newton-Schulz iteration of Jordan et al."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x
