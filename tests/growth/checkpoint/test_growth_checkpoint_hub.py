import json
import shutil
import socket
from fnmatch import fnmatch
from types import SimpleNamespace

import pytest
from hf_folders import write_folder

from bootlaw.errors import BootlawError, InputError
from bootlaw.growth.checkpoint import open_checkpoint

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of the hub, laid out as `huggingface_hub` does; no network is asked."""
    from huggingface_hub import constants

    root = tmp_path / "hub"
    root.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(root))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def no_network(*_args, **_kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "create_connection", no_network)
    return root


def cached(root, tensors, repository="someone/base", reference="main"):
    """Put a repository into the cache: blobs, links to them below the commit, references."""
    home = root / f"models--{repository.replace('/', '--')}"
    written = write_folder(root.parent / "written", tensors, shards=2)
    blobs, snapshot = home / "blobs", home / "snapshots" / COMMIT
    for folder in (blobs, snapshot, home / "refs"):
        folder.mkdir(parents=True)
    for file in written.iterdir():
        file.rename(blobs / f"blob-of-{file.name}")
        (snapshot / file.name).symlink_to(f"../../blobs/blob-of-{file.name}")
    (home / "refs" / reference).write_text(COMMIT)
    return snapshot


@pytest.mark.parametrize(
    ("reference", "revision", "origin"),
    [
        ("main", None, "someone/base"),
        ("step1000", "step1000", "someone/base@step1000"),
        ("main", COMMIT, f"someone/base@{COMMIT}"),
    ],
)
def test_a_repository_opens_from_the_cache(cache, tensors, reference, revision, origin):
    snapshot = cached(cache, tensors, reference=reference)
    checkpoint = open_checkpoint("someone/base", revision=revision)
    assert checkpoint.folder == snapshot
    assert set(checkpoint.names) == set(tensors)
    assert (checkpoint.origin, checkpoint.revision) == (origin, COMMIT)


def test_a_folder_of_that_name_comes_first(cache, tensors, tmp_path, monkeypatch):
    cached(cache, tensors)
    write_folder(tmp_path / "work" / "someone" / "base", {"a": tensors["model.norm.weight"]})
    monkeypatch.chdir(tmp_path / "work")
    assert open_checkpoint("someone/base").names == ("a",)


@pytest.mark.usefixtures("cache")
def test_what_the_cache_lacks_offline_is_said_with_the_way_round():
    with pytest.raises(BootlawError, match=r"hub cannot be reached .*hf download") as caught:
        open_checkpoint("someone/else")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("cache")
def test_a_revision_that_is_not_cached_is_said(cache, tensors):
    cached(cache, tensors)
    with pytest.raises(BootlawError, match=r"someone/base at revision step7: .*cannot be reached"):
        open_checkpoint("someone/base", revision="step7")


class Head:
    """The head of a safetensors file, as `huggingface_hub` hands it out."""

    def __init__(self, file):
        length = int.from_bytes(file.read_bytes()[:8], "little")
        head = json.loads(file.read_bytes()[8 : 8 + length])
        head.pop("__metadata__")
        self.tensors = {name: SimpleNamespace(**fields) for name, fields in head.items()}


@pytest.fixture
def remote(tmp_path, tensors, monkeypatch):
    """A repository of which the cache holds nothing; what is fetched of it goes to the cache."""
    written = write_folder(tmp_path / "remote", tensors, shards=2)
    cache = tmp_path / "cached" / COMMIT
    cache.mkdir(parents=True)

    def snapshot(_repository, *, allow_patterns=(), local_files_only=False, **_):
        for file in () if local_files_only else written.iterdir():
            if any(fnmatch(file.name, pattern) for pattern in allow_patterns):
                shutil.copy(file, cache)
        return str(cache)

    def heads(_, _repository, revision):
        assert revision == COMMIT
        files = written.glob("*.safetensors")
        return SimpleNamespace(files_metadata={file.name: Head(file) for file in files})

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    monkeypatch.setattr("huggingface_hub.HfApi.get_safetensors_metadata", heads)
    return cache


def test_heads_alone_are_fetched_where_no_tensor_is_needed(remote, tensors):
    """A dry run on a model of 140 GB must not download it."""
    checkpoint = open_checkpoint("someone/base", heads_only=True)
    assert [file.name for file in remote.iterdir()] == ["config.json"]
    assert checkpoint.revision == COMMIT
    whole = open_checkpoint("someone/base")
    assert checkpoint.shapes == whole.shapes == {n: tuple(t.shape) for n, t in tensors.items()}
    assert (checkpoint.dtypes, checkpoint.total_bytes) == (whole.dtypes, whole.total_bytes)


def test_a_cache_that_is_whole_is_taken_without_asking_the_hub(cache, tensors):
    cached(cache, tensors)
    assert set(open_checkpoint("someone/base", heads_only=True).names) == set(tensors)


@pytest.mark.parametrize(
    ("files", "words"),
    [(["adapter_config.json"], "is an adapter"), (["pytorch_model.bin"], "pickled weights only")],
)
def test_a_repository_without_heads_says_what_it_holds(remote, monkeypatch, files, words):
    def heads(*_args, **_kwargs):
        raise hub_error("NotASafetensorsRepoError")

    for file in files:
        (remote / file).touch()
    monkeypatch.setattr("huggingface_hub.HfApi.get_safetensors_metadata", heads)
    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_files", lambda *_a, **_k: files)
    with pytest.raises(InputError, match=words):
        open_checkpoint("someone/base", heads_only=True)


def raising(error):
    def download(*_args, **_kwargs):
        raise error

    return download


def hub_error(name):
    from huggingface_hub import errors

    # Made without its constructor, which wants an answer of the HTTP library of the day.
    kind = getattr(errors, name)
    return kind.__new__(kind)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("HfHubHTTPError", "download failed .HfHubHTTPError"),
        ("GatedRepoError", "gated: accept its terms"),
        ("RepositoryNotFoundError", "no such repository on the hub"),
        ("RevisionNotFoundError", "has no revision step7"),
    ],
)
def test_what_the_hub_refuses_is_said_in_one_line(monkeypatch, name, words):
    monkeypatch.setattr("huggingface_hub.snapshot_download", raising(hub_error(name)))
    with pytest.raises(BootlawError, match=words):
        open_checkpoint("someone/base", revision="step7")


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (["config.json", "pytorch_model.bin"], "pickled weights only"),
        (["config.json", "base.Q8_0.gguf"], "GGUF"),
        (["config.json"], "holds no weights"),
    ],
)
def test_a_repository_without_safetensors_says_what_it_holds(tmp_path, monkeypatch, listed, words):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_a, **_k: str(tmp_path))
    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_files", lambda *_a, **_k: listed)
    with pytest.raises(InputError, match=words):
        open_checkpoint("someone/base")


def test_only_what_is_needed_is_downloaded(folder, monkeypatch):
    asked = {}

    def download(repository, **kwargs):
        asked.update(kwargs, repository=repository)
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    open_checkpoint("someone/base", revision="step7")

    assert (asked["repository"], asked["revision"]) == ("someone/base", "step7")
    patterns = asked["allow_patterns"]
    wanted = [
        "config.json",
        "model.safetensors",
        "model-00001-of-00002.safetensors",
        "model.safetensors.index.json",
        "tokenizer.json",
        "tokenizer.model",
        "generation_config.json",
        "chat_template.jinja",
        "adapter_config.json",
        "LICENSE",
    ]
    unwanted = ["pytorch_model.bin", "consolidated.safetensors", "original/params.json", "x.gguf"]
    assert all(any(fnmatch(file, each) for each in patterns) for file in wanted)
    assert not any(fnmatch(file, each) for file in unwanted for each in patterns)
