"""A study that is asked for more, for less, or for the same on other text."""

import json
import shutil
from dataclasses import replace

import pytest

from bootlaw.errors import InputError
from bootlaw.studies import parse_spec, run_study
from bootlaw.studies import study as study_module
from bootlaw.studies.spec import Levels, ReplicateSpec, StackLevels
from bootlaw.training.stream import CHUNK

pytestmark = pytest.mark.train

LONGER = 3 * CHUNK * 16 - 64
"""A second stage that needs three chunks, and so a longer text than the first call asked for."""


def call(spec, out, texts, **options):
    return run_study(
        spec,
        out,
        text=[str(texts[0])],
        cpt_text=[str(texts[1])] if spec.cpt else [],
        workers=1,
        say=lambda _: None,
        **options,
    )


@pytest.fixture(scope="module")
def small(tiny_text):
    """One base and one length of stacking."""
    spec = parse_spec(tiny_text, "tiny.toml")
    return replace(
        spec,
        stage1=Levels((1280,)),
        cpt=None,
        stack=StackLevels((640,)),
        replicates=ReplicateSpec(),
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory, user_texts, small):
    out = tmp_path_factory.mktemp("trained") / "out"
    call(small, out, user_texts)
    return out


@pytest.fixture
def copy(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "copy")


def contents(folder):
    """Every file but the lock, which names the process."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def planned(spec, out, texts):
    study = study_module._prepare(
        None, study_module._with_text(spec, *texts), out, lambda _: None, settle=False
    )
    return {node.id for node in study.graph.nodes}


@pytest.mark.parametrize(
    "more",
    [
        {"stage1": Levels((1280, 2560, 60_000))},
        {"cpt": Levels((640, 1280, 100_000))},
        {"stack": StackLevels((640, 1280, LONGER))},
        {"seeds": (0, 2)},
        {"replicates": ReplicateSpec((1, 3), (1280, 2560))},
    ],
    ids=lambda more: next(iter(more)),
)
def test_asking_for_more_keeps_every_id(tiny_spec, user_texts, tmp_path, more):
    """A longer level asked for more text, and every id hung on all of the text."""
    texts = [[str(path)] for path in user_texts]
    before = planned(tiny_spec, tmp_path / "before", texts)
    after = planned(replace(tiny_spec, **more), tmp_path / "after", texts)
    assert before < after


def test_a_longer_level_trains_only_what_is_new(copy, small, user_texts):
    before = contents(copy)
    old = (copy / "runs.csv").read_text().splitlines()
    tokens = json.loads((copy / "study.json").read_text())["tokens"]["trained"]
    result = call(replace(small, stack=StackLevels((640, LONGER))), copy, user_texts)

    record = json.loads((copy / "study.json").read_text())["text"]["stage1"]
    former = json.loads(before[next(p for p in before if p.name == "study.json")])["text"]["stage1"]
    assert record["train_tokens"] > former["train_tokens"]
    assert record["fingerprint"] == former["fingerprint"]
    assert set(old) < set((copy / "runs.csv").read_text().splitlines())
    # Two trunks, from the base and from scratch, go on from the start of their first cooldown.
    assert result.tokens_trained - tokens <= 2 * LONGER
    for path, content in before.items():
        if path.parts[0] == "runs" and path.name.endswith(".npy"):
            assert (copy / path).read_bytes() == content
    assert not (copy / "data.next").exists()


def test_fewer_levels_leave_the_other_runs_on_disk(copy, small, user_texts):
    """``runs.csv`` is a view of the present plan; what left it comes back with it."""
    before, table = contents(copy / "runs"), (copy / "runs.csv").read_bytes()
    call(replace(small, stage1=Levels((2560,))), copy, user_texts)
    losses = {path for path in before if path.suffix == ".npy"}
    assert losses < contents(copy / "runs").keys()
    rows = (copy / "runs.csv").read_text()
    assert "d1_2.56k" in rows
    assert "d1_1.28k" not in rows
    call(small, copy, user_texts)
    assert (copy / "runs.csv").read_bytes() == table


def test_a_text_that_was_moved_and_renamed_continues(copy, small, user_texts, tmp_path):
    """The name of the file was in the identity of every run."""
    moved = shutil.copytree(user_texts[0], tmp_path / "elsewhere" / "renamed")
    before = contents(copy / "runs")
    result = call(small, copy, (moved,))
    assert result.runs_done == result.runs
    assert contents(copy / "runs") == before
    assert ",renamed," in (copy / "runs.csv").read_text()


def test_another_spelling_of_the_path_continues(copy, small, user_texts):
    """The path was compared as it was written."""
    before = contents(copy / "runs")
    call(small, copy, (user_texts[0] / ".." / user_texts[0].name,))
    assert contents(copy / "runs") == before


@pytest.mark.parametrize("dry_run", [False, True])
def test_changed_text_is_refused_and_nothing_is_touched(copy, small, user_texts, tmp_path, dry_run):
    """It silently trained everything again, and the old rows went from the table."""
    changed = shutil.copytree(user_texts[0], tmp_path / "first")
    for path in changed.glob("*.txt"):
        path.write_text(path.read_text().upper())
    before = contents(copy)
    with pytest.raises(InputError, match=r"--text .*first is not what the study in") as caught:
        call(small, copy, (changed,), dry_run=dry_run)
    assert "use another --out, or the former text" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert contents(copy) == before


def test_upgraded_packages_are_named(tmp_path):
    """Embedded text changes with the packages that it is read from."""
    from bootlaw.studies.texts import _version_changes

    for name, version in (("former", "2.3"), ("now", "2.4")):
        sources = [{"name": "numpy", "version": version}, {"name": "rich", "version": "14"}]
        (tmp_path / name).mkdir()
        card = {"domains": {"prose": {"sources": sources}}}
        (tmp_path / name / "data_card.json").write_text(json.dumps(card))
    changes = _version_changes(tmp_path / "former", tmp_path / "now")
    assert changes == ["numpy 2.3 -> 2.4"]


def test_a_dry_run_of_a_longer_study_leaves_the_trained_one_as_it_is(copy, small, user_texts):
    """It replaced the text under the trained runs."""
    before = contents(copy)
    longer = replace(small, stack=StackLevels((640, LONGER)))
    result = call(longer, copy, user_texts, dry_run=True)
    assert contents(copy) == before
    lines = [line for line in result.dry_run.splitlines() if line.startswith("reuse")]
    assert any("d2_640" in line for line in lines)


def test_a_dry_run_in_a_new_folder_leaves_no_lock(small, user_texts, tmp_path):
    call(small, tmp_path / "out", user_texts, dry_run=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["data"]


def test_lost_data_is_made_again_and_compared(copy, small, user_texts):
    """An interrupted swap leaves no data folder; the record in study.json still knows the text."""
    former = contents(copy / "data")
    shutil.rmtree(copy / "data")
    result = call(small, copy, user_texts)
    assert result.runs_done == result.runs
    assert contents(copy / "data") == former


def test_runs_that_would_be_trained_again_are_refused(copy, small, user_texts, monkeypatch):
    """The last guard, for what nothing else sees, such as another run format."""
    from bootlaw.studies import graph

    monkeypatch.setattr(graph, "derive_seed", lambda *_: 7)
    before = contents(copy)
    with pytest.raises(InputError, match="6 finished runs would be trained again"):
        call(small, copy, user_texts)
    assert contents(copy) == before


def test_another_factor_of_stacking_is_refused_by_name(copy, small, user_texts):
    with pytest.raises(InputError, match=r"stack\.factor = 2, this one asks 3"):
        call(replace(small, stack=StackLevels((640,), factor=3)), copy, user_texts)


def test_the_command_can_be_pasted(tiny_spec, tmp_path):
    """A path with a space, or a specification made in Python, gave a line that does not run."""
    spec = study_module._with_text(tiny_spec, ["my text.txt"], [])
    study = study_module._Study("a.toml", spec, None, None, None, tmp_path / "my out", {})
    out = f"'{tmp_path / 'my out'}'"
    assert study_module._command(study) == (
        f"bootlaw study a.toml --out {out} --text 'my text.txt'"
    )
    assert "StudySpec" in study_module._command(replace(study, source=None))
