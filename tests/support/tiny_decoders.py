"""Tiny trained decoders of every family, and their growth in memory: for the tests of growth."""

from functools import cache

import torch
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM

from bootlaw import growth

DENSE = ("llama", "mistral", "qwen2", "qwen3", "gemma2", "olmo2", "gpt_neox")
KV_HEADS = {"mha": 4, "gqa": 2, "mqa": 1}
VOCABULARY, LAYERS = 31, 2

_SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 24,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "initializer_range": 0.1,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": None,
}
_OWN = {
    "qwen3": {"head_dim": 8},
    # A window shorter than the text, so that swapped layers change the logits.
    "gemma2": {"head_dim": 8, "sliding_window": 4, "query_pre_attn_scalar": 12},
    "mistral": {"sliding_window": 6},
    "llama": {"attention_bias": True, "mlp_bias": True},
    "gpt_neox": {},
}


def cases():
    """Return (family, kind of attention, tied) for every combination that exists."""
    return [
        (family, kind, tied)
        for family in DENSE
        for kind in KV_HEADS
        for tied in (False, True)
        if family != "gpt_neox" or kind == "mha"
    ]


def tokens(seed=0, batch=4, length=12):
    """Return a batch with structure to learn: each token follows from the one before, mostly."""
    draws = torch.Generator().manual_seed(seed)
    rows = [torch.randint(VOCABULARY, (batch,), generator=draws)]
    for _ in range(length - 1):
        jump = (torch.rand(batch, generator=draws) < 0.2).long() * 5
        rows.append((3 * rows[-1] + 1 + jump) % VOCABULARY)
    return torch.stack(rows, dim=1)


@cache
def trained(family, kind="gqa", tied=False, plain=False):
    """Return (config, tensors in float64) of a trained model; `plain` leaves out llama's biases."""
    own = {} if plain and family == "llama" else _OWN.get(family, {})
    fields = {**_SHAPE, **own, "tie_word_embeddings": tied}
    if family != "gpt_neox":
        fields["num_key_value_heads"] = KV_HEADS[kind]
    torch.manual_seed(len(family) + tied)
    config = AutoConfig.for_model(family, **fields)
    model = built(config.to_dict(), torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter += 0.3 * torch.randn_like(parameter)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(6):
        loss_of(model, tokens(step)).backward()
        optimizer.step()
        optimizer.zero_grad()
    tensors = {name: tensor.double() for name, tensor in model.state_dict().items()}
    if tied:
        del tensors["lm_head.weight"]
    return config.to_dict(), tensors


def built(config, dtype=torch.float64):
    """Return a fresh model of a configuration; in float64 it computes in float64 throughout."""
    fields = {key: value for key, value in config.items() if key != "transformers_version"}
    attention = "eager" if config["model_type"] == "gemma2" else "sdpa"
    found = AutoConfig.for_model(**fields)
    found._experts_implementation = "eager"
    model = AutoModelForCausalLM.from_config(found, attn_implementation=attention).to(dtype)
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):
            module.forward = _norm_in_its_type(module)
        if hasattr(module, "scalar_embed_scale"):
            module.embed_scale = torch.tensor(module.scalar_embed_scale, dtype=dtype)
    return model


def _norm_in_its_type(module):
    """transformers computes these norms in float32 whatever the model's type."""
    eps = module.eps if hasattr(module, "eps") else module.variance_epsilon
    shift = 1.0 if type(module).__name__ == "Gemma2RMSNorm" else 0.0

    def forward(x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * (shift + module.weight)

    return forward


def load(model, tensors):
    """Put tensors under the names of a checkpoint's files into a model."""
    experts = {inside(name): value for name, value in tensors.items() if ".experts." in name}
    state = {inside(name): value for name, value in tensors.items() if ".experts." not in name}
    count = len({name.split(".experts.")[1].split(".")[0] for name in experts})
    for name in model.state_dict():
        if ".experts." in name:
            state[name] = torch.stack([_expert(name, number, experts) for number in range(count)])
    if model.config.tie_word_embeddings:
        assert "lm_head.weight" not in state
        state["lm_head.weight"] = next(value for name, value in state.items() if "embed" in name)
    model.load_state_dict(state)
    return model


def inside(name):
    """Return the name that transformers uses inside for a name in a file."""
    return name.replace("embed_out.", "lm_head.").replace("block_sparse_moe", "mlp")


def _expert(name, number, experts):
    """Return one expert's part of what transformers holds in one tensor for all of them."""
    stem, last = name.rsplit(".", 1)
    parts = [("down_proj", "w2")]
    if last == "gate_up_proj":
        parts = [("gate_proj", "w1"), ("up_proj", "w3")]
    keys = [[f"{stem}.{number}.{part}.weight" for part in names] for names in parts]
    return torch.cat([experts[a] if a in experts else experts[b] for a, b in keys])


def parent(config, tensors, dtype=torch.float64):
    """Return the model that is to be grown."""
    return load(built(config, dtype), {name: value.to(dtype) for name, value in tensors.items()})


def described(config, tensors):
    """Return the specification of a parent."""
    return growth.describe(config, {name: tuple(value.shape) for name, value in tensors.items()})


def grown(plan, tensors, dtype=torch.float64, seed=0):
    """Return the grown model: its tensors built in float64 and rounded once."""
    values = growth.materialise(plan, tensors, seed=seed, dtype=dtype)
    return load(built(plan.config, dtype), values)


def logits(model, batch=None):
    """Return the logits of a batch."""
    with _double_softmax():
        return model(tokens(99) if batch is None else batch, use_cache=False).logits


class _double_softmax:
    """Eager attention casts its softmax to float32; in a float64 model that hides errors."""

    def __enter__(self):
        self.usual = functional.softmax

        def softmax(x, dim=None, dtype=None, **rest):
            return self.usual(x, dim=dim, dtype=None if x.dtype is torch.float64 else dtype, **rest)

        functional.softmax = softmax

    def __exit__(self, *_):
        functional.softmax = self.usual


def loss_of(model, batch):
    """Return the mean loss of predicting each next token, nats."""
    predicted = logits(model, batch)[:, :-1]
    return functional.cross_entropy(predicted.flatten(0, 1), batch[:, 1:].flatten())
