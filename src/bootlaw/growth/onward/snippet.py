"""Python for ``transformers.Trainer`` that trains as a ``train.toml`` says."""

from __future__ import annotations

from bootlaw.growth.onward.train_spec import TrainSpec


def trainer_snippet(spec: TrainSpec, experts: bool) -> str:
    """Return a script; what the specification leaves open stays ``...`` with its question.

    Parameters
    ----------
    spec
        How to train on.
    experts
        Whether the model is a mixture of experts, which needs its balancing loss switched on.
    """
    given = spec.given
    lines = [
        "# needs accelerate too: pip install 'transformers[torch]'",
        "import re",
        "",
        "import torch",
        "from transformers import AutoModelForCausalLM, Trainer, TrainingArguments",
        "",
        f"FOLDER = {spec.name!r}  # this folder",
        _constant(spec, "PEAK_LR", "schedule.peak_lr"),
        _constant(spec, "BATCH_TOKENS", "schedule.batch_tokens"),
        _constant(spec, "TOKENS", "data.tokens"),
        _constant(spec, "LENGTH", "model.sequence_length"),
        "AT_ONCE = 1  # sequences a device at once: as many as its memory takes",
        'train_dataset = ...  # items {"input_ids": ids, "labels": ids}, LENGTH ids each',
        "",
        "model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32)",
    ]
    if experts:
        lines.append(
            "model.config.output_router_logits = True  # adds the loss that balances experts"
        )
    frozen = given.get("model.frozen")
    if frozen:
        lines += [
            f"FROZEN = {list(frozen) if isinstance(frozen, tuple) else []!r}",
            "for name, parameter in model.named_parameters():",
            "    parameter.requires_grad = not any(re.fullmatch(each, name) for each in FROZEN)",
        ]
    else:
        del lines[1:3]
    return "\n".join([*lines, *_training(spec)])


def _training(spec: TrainSpec) -> list[str]:
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
        "Trainer(model=model, args=arguments, train_dataset=train_dataset).train()",
    ]


def _constant(spec: TrainSpec, name: str, setting: str) -> str:
    if setting in spec.given:
        return f"{name} = {spec.given[setting]!r}"
    if setting in spec.sweep:
        return f"{name} = ...  # one of {', '.join(f'{value:g}' for value in spec.sweep[setting])}"
    return f"{name} = ...  # {spec.open[setting]}"
