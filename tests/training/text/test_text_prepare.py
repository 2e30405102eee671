import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from bootlaw.errors import InputError
from bootlaw.training.text import card, decode, embedded, prepare, prepare_text
from bootlaw.training.text.tokens import read_tokens

SIZES = {
    "held_out_bytes": {"prose": 16_384, "code": 16_384},
    "max_train_bytes": {"prose": 100_000, "code": 66_000},
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    out = tmp_path_factory.mktemp("data")
    return out, prepare_text(out, say=lambda _line: None, **SIZES)


def documents(path):
    return [text.decode(errors="replace") for text in decode(read_tokens(path))]


def test_sizes_names_and_order(prepared):
    out, texts = prepared
    assert list(texts) == ["prose", "code"]
    for name, text in texts.items():
        assert text.train == out / name / "train.bin"
        assert text.held_out == out / name / "held_out.bin"
        assert text.train_tokens == SIZES["max_train_bytes"][name]
        assert text.held_out_tokens == 16_384
        assert text.train.stat().st_size == 2 * text.train_tokens
        assert text.train_documents == len(documents(text.train))
        assert text.held_out_documents == len(documents(text.held_out)) >= 64


def test_two_folders_are_byte_identical_in_another_process(prepared, tmp_path):
    out, _ = prepared
    code = (
        "import sys; from pathlib import Path; from bootlaw.training.text import prepare_text\n"
        f"prepare_text(Path(sys.argv[1]), say=print, **{SIZES!r})\n"
        "assert not {'torch', 'transformers', 'pyarrow', 'matplotlib'} & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "again"],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    names = ["data_card.json", *(f"{d}/{p}.bin" for d in embedded.EMBEDDED for p in PARTS)]
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes(), name


PARTS = ("train", "held_out")


def test_no_document_and_no_paragraph_is_in_both_parts(prepared):
    _, texts = prepared
    for text in texts.values():
        train, held_out = documents(text.train), documents(text.held_out)
        assert not {t[:200] for t in train} & {t[:200] for t in held_out}
        assert len(train) == len(set(train))
    prose = [
        p
        for text in PARTS
        for d in documents(getattr(texts["prose"], text))[:-1]
        for p in d.split("\n\n")
    ]
    repeated = [p for p, n in Counter(p.strip().lower() for p in prose).items() if n > 1]
    assert not [p for p in repeated if len(p) > 40]


def test_the_prose_reads_as_prose(prepared):
    _, texts = prepared
    text = "".join(documents(texts["prose"].train))
    assert ">>>" not in text
    assert "```" not in text
    assert text.count("::") < 5
    letters = sum(c.isalpha() or c == " " for c in text) / len(text)
    assert letters > 0.94


def test_the_code_is_python_without_docstrings(prepared):
    _, texts = prepared
    text = "".join(documents(texts["code"].train))
    assert "import " in text
    assert "def " in text
    assert "    #" in text


def test_a_second_call_reuses_at_once(prepared, monkeypatch):
    out, texts = prepared
    monkeypatch.setattr(prepare, "_split", None)
    lines = []
    assert prepare_text(out, say=lines.append, **SIZES) == texts
    assert lines == [f"text: already prepared in {out}"]


def small(out, **more):
    sizes = {"held_out_bytes": {"code": 3000}, "max_train_bytes": {"code": 5000}, **more}
    return prepare_text(out, say=[].append, **sizes)


def test_other_sizes_or_a_damaged_file_are_prepared_again(tmp_path):
    one = small(tmp_path)["code"]
    content = one.train.read_bytes()
    one.train.write_bytes(content[:-2])
    assert small(tmp_path)["code"] == one
    assert one.train.read_bytes() == content
    assert small(tmp_path, max_train_bytes={"code": 6000})["code"].train_tokens == 6000


def test_embedded_text_for_more_is_an_extension(prepared, tmp_path):
    """A longer level asked for more text, and everything was trained again."""
    _, texts = prepared
    more = {name: 2 * size + 1 for name, size in SIZES["max_train_bytes"].items()}
    sizes = SIZES | {"max_train_bytes": more}
    for name, longer in prepare_text(tmp_path, say=[].append, **sizes).items():
        assert longer.train_tokens == more[name]
        assert longer.train.read_bytes().startswith(texts[name].train.read_bytes())
        assert longer.held_out.read_bytes() == texts[name].held_out.read_bytes()
        assert longer.fingerprint == texts[name].fingerprint
        assert longer.train_sha256 != texts[name].train_sha256


def test_what_is_written_instead_leaves_the_former_text(tmp_path):
    one = small(tmp_path / "data")["code"]
    content = one.train.read_bytes()
    more = {"max_train_bytes": {"code": 6000}, "instead": tmp_path / "next"}
    assert small(tmp_path / "data", **more)["code"].train == tmp_path / "next/code/train.bin"
    assert small(tmp_path / "data", instead=tmp_path / "next")["code"] == one
    assert one.train.read_bytes() == content


def test_only_the_domains_with_a_held_out_size_are_prepared(tmp_path):
    assert list(small(tmp_path)) == ["code"]
    assert not (tmp_path / "prose").exists()


def test_an_interrupted_call_leaves_nothing_that_looks_complete(tmp_path, monkeypatch):
    small(tmp_path)

    def interrupted(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare, "write_tokens", interrupted)
    with pytest.raises(KeyboardInterrupt):
        small(tmp_path, max_train_bytes={"code": 6000})
    assert not (tmp_path / "data_card.json").exists()
    assert not list(tmp_path.rglob("*.tmp"))
    monkeypatch.undo()
    assert small(tmp_path)["code"].train_tokens == 5000


def test_output_that_cannot_be_written_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot write the prepared text there"):
        small(tmp_path / "file")


def test_the_card_tells_what_was_used(prepared):
    out, texts = prepared
    document = json.loads((out / card.CARD_NAME).read_text(encoding="utf-8"))
    assert document["order"] == ["prose", "code"]
    assert document["tokenizer"]["vocabulary_size"] == 257
    for name, text in texts.items():
        entry = document["domains"][name]
        parts = entry["train"], entry["held_out"]
        assert sum(source["bytes"] for source in entry["sources"]) == sum(p["bytes"] for p in parts)
        assert sum(source["documents"] for source in entry["sources"]) == (
            text.train_documents + text.held_out_documents
        )
        assert entry["fingerprint"] == text.fingerprint
        assert all(count > 0 for count in entry["dropped"].values())
    assert str(out) not in (out / card.CARD_NAME).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"held_out_bytes": {"poetry": 1000}}, "no text is called 'poetry'"),
        ({"held_out_bytes": {"code": 0}}, "code = 0"),
        ({"max_train_bytes": {"code": 1.5}}, "code = 1.5"),
        ({"held_out_bytes": {"code": 10**9}}, "embedded code"),
    ],
)
def test_bad_sizes(tmp_path, options, message, monkeypatch):
    monkeypatch.setattr(embedded.env, "stdlib_files", lambda: [("a.py", tmp_path / "a.py")])
    (tmp_path / "a.py").write_text("x = 1\n" * 100)
    with pytest.raises(InputError, match=message):
        small(tmp_path / "out", **options)


def test_text_for_a_stage_that_is_not_wanted_is_refused(tmp_path):
    with pytest.raises(InputError, match="--cpt-text"):
        prepare_text(
            tmp_path, cpt_text=["a.txt"], held_out_bytes={"prose": 1000}, say=lambda _line: None
        )


def test_code_is_grouped_by_package():
    assert embedded.code_group("json/decoder.py") == "json"
    assert embedded.code_group("argparse.py") == "argparse.py"
    assert embedded.code_group("test/test_json/test_dump.py") == "test/test_json"
    assert embedded.code_group("test/test_ast.py") == "test/test_ast.py"
