import pytest
from hf_folders import llama_shapes, random_tensors, write_folder


@pytest.fixture
def tensors():
    return random_tensors(llama_shapes())


@pytest.fixture
def folder(tmp_path, tensors):
    return write_folder(tmp_path / "parent", tensors)
