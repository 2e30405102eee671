from dataclasses import replace

import numpy as np
import pytest
from tiny_study import TINY_MODEL

from bootlaw.studies import parse_spec

TINY = f"""
name = "tiny"
{TINY_MODEL}
[evaluation]
held_out_tokens = 2048
forgetting_tokens = 512

[stage1]
tokens = [1280, 2560]

[cpt]
tokens = [640, 1280]

[stack]
tokens = [640, 1280]

[replicates]
seeds = [1]
tokens_stage1 = [1280]
"""


@pytest.fixture(scope="session")
def tiny_text():
    return TINY


@pytest.fixture
def tiny_spec():
    return parse_spec(TINY, "tiny.toml")


@pytest.fixture(scope="session")
def user_texts(tmp_path_factory):
    """Two folders of text files in different made-up languages."""
    root = tmp_path_factory.mktemp("texts")
    return write_texts(root / "first", 1), write_texts(root / "second", 2)


def write_texts(folder, seed):
    folder.mkdir()
    rng = np.random.default_rng(seed)
    letters = [chr(code) for code in rng.permutation(np.arange(97, 123))[:12]]
    words = ["".join(rng.choice(letters, rng.integers(2, 7))) for _ in range(60)]
    for number in range(220):
        sentences = [" ".join(rng.choice(words, 9)) + "." for _ in range(10)]
        (folder / f"document-{number:03d}.txt").write_text("\n".join(sentences), "utf-8")
    return folder


@pytest.fixture
def stack_only(tiny_spec):
    return replace(tiny_spec, cpt=None, replicates=type(tiny_spec.replicates)())
