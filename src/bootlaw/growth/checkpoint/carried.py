"""Files that go along with the weights: tokenizer, generation settings, chat template, licence."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path

CARRIED = (
    "tokenizer*",
    "tokenization_*.py",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "spiece.model",
    "sentencepiece*",
    "*.tiktoken",
    "chat_template*",
    "additional_chat_templates/*",
    "generation_config.json",
    "LICENSE*",
    "LICENCE*",
    "NOTICE*",
    "USE_POLICY*",
)
"""Patterns of relative paths. The model card is not among them: it describes the parent."""


def carried_files(folder: Path) -> tuple[str, ...]:
    """Return the relative paths of what goes along, sorted."""
    inside = [*folder.glob("*"), *folder.glob("additional_chat_templates/*")]
    paths = [path.relative_to(folder).as_posix() for path in inside if path.is_file()]
    return tuple(sorted(path for path in paths if any(fnmatch(path, each) for each in CARRIED)))


def chat_signs(folder: Path, config: dict[str, object]) -> tuple[str, ...]:
    """Return what says that a model was tuned for chat, empty for a base model."""
    signs = [path for path in carried_files(folder) if "chat_template" in path]
    if not signs and _has_template(folder / "tokenizer_config.json"):
        signs.append("chat_template in tokenizer_config.json")
    if isinstance(config.get("eos_token_id"), list):
        signs.append("several eos_token_id in config.json")
    return tuple(signs)


def _has_template(file: Path) -> bool:
    try:
        return bool(json.loads(file.read_text("utf-8")).get("chat_template"))
    except (OSError, ValueError, AttributeError):
        return False
