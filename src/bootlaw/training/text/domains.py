"""Which domains a call asks for: embedded or the user's, under which name, of which size."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootlaw.errors import InputError
from bootlaw.training.text.split import Sizes

ROLES = {"prose": "--text", "code": "--cpt-text"}
"""Embedded domains in the order of the stages, and the option that replaces each."""
_MAX_NAME = 60


@dataclass(frozen=True)
class Domain:
    """One domain to prepare; without `paths` it is the embedded corpus `role`."""

    role: str
    name: str
    paths: tuple[Path, ...]
    sizes: Sizes

    @property
    def option(self) -> str:
        return ROLES[self.role]


def requested_domains(
    text: Sequence[str],
    cpt_text: Sequence[str],
    max_train_bytes: Mapping[str, int],
    held_out_bytes: Mapping[str, int],
) -> tuple[Domain, ...]:
    """The domains that `held_out_bytes` names, by role (`prose`, `code`) or by their own name.

    Raises
    ------
    InputError
        If a size is not positive or names no domain, or text is given for a domain without size.
    """
    names = _names(text, cpt_text)
    known = set(ROLES) | set(names.values())
    _check_sizes("held_out_bytes", held_out_bytes, known)
    _check_sizes("max_train_bytes", max_train_bytes, known)
    domains = []
    for role, paths in zip(ROLES, (text, cpt_text), strict=True):
        keys = (role, names[role])  # a file may be called after the other role
        held_out = next((held_out_bytes[key] for key in keys if key in held_out_bytes), None)
        if held_out is not None:
            train = next((max_train_bytes[key] for key in keys if key in max_train_bytes), None)
            sizes = Sizes(held_out, train)
            domains.append(Domain(role, names[role], tuple(Path(p) for p in paths), sizes))
        elif paths:
            raise InputError(
                f"{ROLES[role]} {paths[0]}: this study uses no such text; leave it out"
            )
    return tuple(domains)


def stem(path: str | Path) -> str:
    """Name of a file or folder without any of its known suffixes, safe as a folder name."""
    name = Path(path).name or Path(path).resolve().name
    name = re.sub(r"(?i)(\.(jsonl?|parquet|txt|md|rst|py|tex|gz|xz|bz2|zst))+$", "", name)
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "text"


def _names(text: Sequence[str], cpt_text: Sequence[str]) -> dict[str, str]:
    names = {
        role: "+".join(dict.fromkeys(stem(path) for path in paths))[:_MAX_NAME] if paths else role
        for role, paths in zip(ROLES, (text, cpt_text), strict=True)
    }
    if names["prose"] == names["code"]:
        names["code"] += "-2"
    return names


def _check_sizes(what: str, sizes: Mapping[str, int], known: set[str]) -> None:
    for name, size in sizes.items():
        if name not in known:
            raise InputError(
                f"{what}: no text is called {name!r}; the texts are {', '.join(sorted(known))}"
            )
        if isinstance(size, bool) or not isinstance(size, int) or size < 2:
            raise InputError(f"{what}: {name} = {size!r}; give a number of bytes above 1")
