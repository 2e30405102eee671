import bz2
import gzip
import json
import lzma
from collections import Counter
from pathlib import Path

import pytest

from bootlaw.errors import InputError
from bootlaw.training.text import decode, prepare_text
from bootlaw.training.text.files import input_files
from bootlaw.training.text.readers import read_documents
from bootlaw.training.text.tokens import read_tokens

TEXTS = [f"Document {n}: é and some text.\n" * (20 + n) for n in range(40)]
SIZES = {"held_out_bytes": {"prose": 2000}, "max_train_bytes": {"prose": 9000}}


def json_lines(texts):
    return "".join(json.dumps({"id": 1, "text": text}) + "\n" for text in texts).encode()


def write_folder(path):
    (path / "deep").mkdir(parents=True)
    for n, text in enumerate(TEXTS):
        name = path / ("deep" if n % 2 else ".") / f"{n}.{('txt', 'md', 'py')[n % 3]}"
        name.write_bytes(text.replace("\n", "\r\n" if n % 5 == 0 else "\n").encode())


def write_parquet(path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": TEXTS, "n": list(range(len(TEXTS)))}), path)


WRITERS = {
    "corpus": write_folder,
    "corpus.jsonl": lambda path: path.write_bytes(json_lines(TEXTS[::-1])),
    "corpus.jsonl.gz": lambda path: path.write_bytes(gzip.compress(json_lines(TEXTS))),
    "corpus.jsonl.xz": lambda path: path.write_bytes(lzma.compress(json_lines(TEXTS))),
    "corpus.jsonl.bz2": lambda path: path.write_bytes(bz2.compress(json_lines(TEXTS))),
    "corpus.parquet": write_parquet,
}


def prepare(tmp_path, *paths, **sizes):
    options = {**SIZES, **sizes}
    return prepare_text(tmp_path / "out", text=[str(p) for p in paths], say=[].append, **options)


def test_all_formats_give_the_same_tokens(tmp_path):
    fingerprints = set()
    for name, write in WRITERS.items():
        path = tmp_path / f"in-{name}" / name
        path.parent.mkdir()
        write(path)
        prepared = prepare(path.parent, path)["corpus"]
        assert (prepared.train_tokens, prepared.held_out_tokens) == (9000, 2000)
        fingerprints.add(prepared.fingerprint)
    assert len(fingerprints) == 1


def test_documents_are_whole_and_on_one_side_only(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(json_lines(TEXTS + TEXTS[:3] + ["", "  \n"]))
    prepared = prepare(tmp_path, path, max_train_bytes={})["corpus"]
    train = decode(read_tokens(prepared.train))
    held_out = decode(read_tokens(prepared.held_out))
    assert {text.decode() for text in train} < set(TEXTS)
    assert not {text[:14] for text in train} & {text[:14] for text in held_out}
    assert len(train) == len(set(train)) == prepared.train_documents
    dropped = card(tmp_path)["domains"]["corpus"]["dropped"]
    assert dropped == {"duplicate documents": 3, "empty documents": 2}


def card(tmp_path):
    return json.loads((tmp_path / "out" / "data_card.json").read_text(encoding="utf-8"))


def test_user_text_for_more_is_an_extension_whatever_its_name(tmp_path):
    """A longer level, or a renamed file, trained everything again."""
    texts = [f"{n} {text}" * 60 for n in range(5) for text in TEXTS]
    (tmp_path / "one.jsonl").write_bytes(json_lines(texts))
    (tmp_path / "two.jsonl").write_bytes(json_lines(texts[::-1]))
    sizes = {"max_train_bytes": {"prose": 70_001}}
    one = prepare(tmp_path / "a", tmp_path / "one.jsonl", **sizes)["one"]
    sizes = {"max_train_bytes": {"prose": 900_000}}
    two = prepare(tmp_path / "b", tmp_path / "two.jsonl", **sizes)["two"]
    assert (one.train_tokens, two.train_tokens) == (70_001, 900_000)
    assert two.train.read_bytes().startswith(one.train.read_bytes())
    assert two.held_out.read_bytes() == one.held_out.read_bytes()
    assert two.fingerprint == one.fingerprint


def test_a_text_called_like_the_other_stage_keeps_its_own_size(tmp_path):
    """A first text called code.jsonl got the size of the second stage's text."""
    (tmp_path / "code.jsonl").write_bytes(json_lines(TEXTS))
    sizes = {"held_out_bytes": {"prose": 2000, "code": 500}}
    (tmp_path / "other.jsonl").write_bytes(json_lines([text.upper() for text in TEXTS]))
    prepared = prepare(
        tmp_path, tmp_path / "code.jsonl", cpt_text=[str(tmp_path / "other.jsonl")], **sizes
    )
    assert [text.held_out_tokens for text in prepared.values()] == [2000, 500]


def test_hidden_and_binary_files_in_a_folder_are_counted(tmp_path):
    write_folder(tmp_path / "corpus")
    (tmp_path / "corpus/.hidden").write_text("hidden")
    (tmp_path / "corpus/image.png").write_bytes(b"\x89PNG\0\0")
    prepare(tmp_path, tmp_path / "corpus")
    dropped = card(tmp_path)["domains"]["corpus"]["dropped"]
    assert dropped == {"binary files": 1, "hidden files and folders": 1}


def test_several_paths_make_one_domain(tmp_path):
    for name, texts in (("b.jsonl", TEXTS[:20]), ("a.jsonl", TEXTS[20:])):
        (tmp_path / name).write_bytes(json_lines(texts))
    prepared = prepare(tmp_path, tmp_path / "b.jsonl", tmp_path / "a.jsonl")
    assert list(prepared) == ["b+a"]
    names = {source["name"] for source in card(tmp_path)["domains"]["b+a"]["sources"]}
    assert names == {"a.jsonl", "b.jsonl"}


def test_one_long_document_is_split_by_position(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("".join(f"{n:06d} " for n in range(10_000)))
    prepared = prepare(tmp_path, path, max_train_bytes={})["book"]
    assert prepared.held_out_tokens == 2000
    assert prepared.train_tokens > 60_000
    assert "position" in card(tmp_path)["domains"]["book"]["split"]


BAD_FILES = {
    "empty.txt": (b"", "too little text: it gave 0 of 2,000"),
    "short.txt": (b"a few words", "too little text: it gave 12 of 2,000"),
    "latin1.txt": ("déjà".encode("latin-1"), "byte 1 (0xe9) is not UTF-8"),
    "binary.txt": (b"a\0b", "binary file"),
    "bad.jsonl": (b'{"text": "a"}\n{"text": \n', "line 2: not valid JSON"),
    "list.jsonl": (b"[1]\n", "line 1: not an object but list"),
    "names.jsonl": (b'\n{"id": 1, "body": "a"}\n', "line 2: no field 'text'; found: body, id"),
    "null.jsonl": (b'{"text": null}\n', "line 1: field 'text' is NoneType, not a string"),
    "latin1.jsonl": (b'{"text": "\xe9"}\n', "line 1: byte 10 is not UTF-8"),
    "half.jsonl": (b'{"text": "\\ud800"}\n', "line 1: character 0 is half of a surrogate pair"),
    "cut.jsonl.gz": (gzip.compress(json_lines(TEXTS))[:-20], "cannot be read"),
    "cut.jsonl.xz": (lzma.compress(json_lines(TEXTS))[:-20], "cannot be read"),
    "fake.jsonl.bz2": (b"not bzip2", "cannot be read"),
    "fake.parquet": (b"not parquet", "not a readable Parquet file"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_one_line_that_names_it(tmp_path, name):
    content, message = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        prepare(tmp_path, tmp_path / name)
    assert message in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "data_card.json").exists()


def test_a_parquet_file_without_text_names_its_columns(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"body": ["a"], "n": [1]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet: no column 'text'; found: body, n"):
        prepare(tmp_path, tmp_path / "a.parquet")
    pq.write_table(pa.table({"text": ["a", None]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"b\.parquet row 2: field 'text' is NoneType"):
        prepare(tmp_path, tmp_path / "b.parquet")


def test_missing_paths_and_empty_folders(tmp_path):
    with pytest.raises(InputError, match="missing: no such file or folder"):
        prepare(tmp_path, tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: the folder holds no files"):
        prepare(tmp_path, tmp_path / "empty")


def test_zst_needs_a_newer_python_or_works(tmp_path):
    path = tmp_path / "a.jsonl.zst"
    try:
        from compression import zstd
    except ImportError:
        path.write_bytes(b"")
        with pytest.raises(InputError, match="decompress it"):
            prepare(tmp_path, path)
    else:
        path.write_bytes(zstd.compress(json_lines(TEXTS)))
        assert prepare(tmp_path, path)["a"].train_tokens == 9000


def test_one_text_for_both_stages_is_refused(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(json_lines(TEXTS))
    with pytest.raises(InputError, match=r"without 40 repeated documents"):
        prepare(tmp_path, path, cpt_text=[str(path)], held_out_bytes={"prose": 2000, "code": 2000})


def test_a_document_in_both_texts_stays_in_the_first(tmp_path):
    for name, texts in (("one.jsonl", TEXTS[:25]), ("two.jsonl", TEXTS[15:])):
        (tmp_path / name).write_bytes(json_lines(texts))
    options = {
        "cpt_text": [str(tmp_path / "two.jsonl")],
        "held_out_bytes": {"one": 2000, "two": 2000},
    }
    prepared = prepare(tmp_path, tmp_path / "one.jsonl", max_train_bytes={}, **options)
    assert list(prepared) == ["one", "two"]
    assert card(tmp_path)["domains"]["two"]["dropped"] == {"duplicate documents": 10}


def test_files_are_read_in_sorted_order(tmp_path):
    write_folder(tmp_path / "corpus")
    files = input_files([tmp_path / "corpus"], Counter())
    assert [file.name for file in files] == sorted(file.name for file in files)
    texts = [text for file in files for text in read_documents(file, Counter())]
    assert sorted(texts) == sorted(text.encode() for text in TEXTS)
    assert all(isinstance(file.path, Path) for file in files)
