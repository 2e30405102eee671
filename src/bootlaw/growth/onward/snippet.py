"""Python for ``transformers.Trainer`` that trains as a ``train.toml`` says."""

from __future__ import annotations

from bootlaw.growth.onward.train_spec import TrainSpec


def trainer_snippet(spec: TrainSpec, experts: bool, distributed: bool = False) -> str:
    """Return a script; what the specification leaves open stays ``...`` with its question.

    Parameters
    ----------
    spec
        How to train on.
    experts
        Whether the model is a mixture of experts, which needs its balancing loss switched on.
    distributed
        Whether the checkpoint is in torch's distributed format, which transformers does not read.
    """
    carried = distributed and spec.given["optimizer.state"] == "carry"
    frozen = spec.given.get("model.frozen")
    lines = [
        "# needs accelerate too: pip install 'transformers[torch]'",
        *(["import re", ""] if frozen else []),
        "import torch",
        *_imports(distributed, carried),
        "",
        f"FOLDER = {spec.name!r}  # this folder",
        _constant(spec, "PEAK_LR", "schedule.peak_lr"),
        _constant(spec, "BATCH_TOKENS", "schedule.batch_tokens"),
        _constant(spec, "TOKENS", "data.tokens"),
        _constant(spec, "LENGTH", "model.sequence_length"),
        "AT_ONCE = 1  # sequences a device at once: as many as its memory takes",
        'train_dataset = ...  # items {"input_ids": ids, "labels": ids}, LENGTH ids each',
        "",
        *_model(spec, distributed, carried),
    ]
    if experts:
        lines.append(
            "model.config.output_router_logits = True  # adds the loss that balances experts"
        )
    if frozen:
        lines += [
            f"FROZEN = {list(frozen) if isinstance(frozen, tuple) else []!r}",
            "for name, parameter in model.named_parameters():",
            "    parameter.requires_grad = not any(re.fullmatch(each, name) for each in FROZEN)",
        ]
    return "\n".join([*lines, *_training(spec, carried)])


def _imports(distributed: bool, carried: bool) -> list[str]:
    usual = "AutoModelForCausalLM, Trainer, TrainingArguments"
    if not distributed:
        return [f"from transformers import {usual}"]
    return [
        "import torch.distributed.checkpoint as dcp",
        *(
            ["from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict"]
            if carried
            else []
        ),
        f"from transformers import AutoConfig, {usual}",
    ]


def _model(spec: TrainSpec, distributed: bool, carried: bool) -> list[str]:
    """Return the lines that load the model and, where it is carried, the optimiser's state."""
    if not distributed:
        return ["model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32)"]
    lines = [
        "config = AutoConfig.from_pretrained(FOLDER)",
        "model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)",
    ]
    if not carried:
        return [
            *lines,
            'state = {"model": model.state_dict()}',
            "dcp.load(state, checkpoint_id=FOLDER)",
            'model.load_state_dict(state["model"])',
        ]
    given = spec.given
    return [
        *lines,
        "matrices = [each for each in model.parameters() if each.ndim >= 2]",
        "vectors = [each for each in model.parameters() if each.ndim < 2]",
        "optimizer = torch.optim.AdamW([",
        f'    {{"params": matrices, "weight_decay": {given["optimizer.weight_decay"]}}},',
        '    {"params": vectors, "weight_decay": 0.0},',
        "])",
        "weights, moments = get_state_dict(model, optimizer)",
        'state = {"model": weights, "optimizer": moments}',
        "dcp.load(state, checkpoint_id=FOLDER)",
        "set_state_dict(",
        "    model, optimizer,",
        '    model_state_dict=state["model"], optim_state_dict=state["optimizer"],',
        ")",
        "for group in optimizer.param_groups:  # the state brought the parent's settings with it",
        f"    group.update(lr=PEAK_LR, betas=({given['optimizer.beta1']}, "
        f"{given['optimizer.beta2']}))",
        f'optimizer.param_groups[0]["weight_decay"] = {given["optimizer.weight_decay"]}',
    ]


def _training(spec: TrainSpec, carried: bool) -> list[str]:
    given = spec.given
    return [
        "",
        "steps = TOKENS // BATCH_TOKENS",
        "arguments = TrainingArguments(",
        '    output_dir="out",',
        "    max_steps=steps,",
        "    per_device_train_batch_size=AT_ONCE,",
        "    # one device; divide by their number otherwise",
        "    gradient_accumulation_steps=max(BATCH_TOKENS // (LENGTH * AT_ONCE), 1),",
        "    learning_rate=PEAK_LR,",
        f"    warmup_steps={given['schedule.warmup_steps']},",
        '    lr_scheduler_type="warmup_stable_decay",',
        "    lr_scheduler_kwargs={",
        f'        "num_decay_steps": round({given["schedule.cooldown_fraction"]} * steps),',
        '        "decay_type": "linear",',
        "    },",
        f"    adam_beta1={given['optimizer.beta1']},",
        f"    adam_beta2={given['optimizer.beta2']},",
        f"    weight_decay={given['optimizer.weight_decay']},",
        f"    max_grad_norm={given['optimizer.clip']},",
        f"    bf16={given['model.dtype'] == 'bfloat16'},",
        ")",
        "Trainer(",
        "    model=model, args=arguments, train_dataset=train_dataset,",
        *(["    optimizers=(optimizer, None),  # with the parent's moments"] if carried else []),
        ").train()",
    ]


def _constant(spec: TrainSpec, name: str, setting: str) -> str:
    if setting in spec.given:
        return f"{name} = {spec.given[setting]!r}"
    if setting in spec.sweep:
        return f"{name} = ...  # one of {', '.join(f'{value:g}' for value in spec.sweep[setting])}"
    return f"{name} = ...  # {spec.open[setting]}"
