import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.growth.checking import decide_check
from bootlaw.growth.proof.memory import available_memory, check_memory, control_group_memory
from bootlaw.growth.size import PRECISIONS, bytes_text, count_text, training_memory

CONFIG = {"vocab_size": 32000, "max_position_embeddings": 2048}
GB = 10**9


@given(
    params=st.integers(1, 10**12),
    share=st.floats(0, 1),
    precision=st.sampled_from(list(PRECISIONS)),
)
def test_training_memory_is_the_sum_of_its_parts(params, share, precision):
    frozen = int(params * share)
    memory = training_memory(params, precision, frozen)
    parts = memory.weights + memory.gradients + memory.master + memory.moments
    assert memory.total == parts
    kind = PRECISIONS[precision]
    assert memory.total == kind.total * (params - frozen) + kind.weights * frozen


def test_a_7b_model_takes_the_published_16_bytes_a_parameter():
    assert training_memory(7 * GB, "mixed").total == 112 * GB
    assert training_memory(7 * GB, "float32").total == 112 * GB
    assert training_memory(7 * GB, "bfloat16").total == 56 * GB


def test_an_unknown_precision_is_refused():
    with pytest.raises(InputError, match="mixed, float32, bfloat16"):
        training_memory(1, "int8")


@pytest.mark.parametrize(
    ("value", "text"), [(999, "999 B"), (13.5e9, "13.5 GB"), (2e12, "2 TB"), (1500, "1.5 kB")]
)
def test_bytes_in_words(value, text):
    assert bytes_text(value) == text


def test_counts_in_words():
    assert [count_text(value) for value in (999, 1.24e9, 7e12)] == ["999", "1.24B", "7T"]


def test_the_system_says_how_much_memory_there_is():
    available = available_memory()
    assert available is None or available > 10**7


def test_a_check_that_fits_is_in_float32_and_in_the_stored_dtype_where_only_that_fits():
    plenty = decide_check("auto", "auto", "bfloat16", GB, CONFIG, available=100 * GB)
    assert (plenty.dtype, plenty.status) == ("float32", "planned")
    tight = decide_check("auto", "auto", "bfloat16", GB, CONFIG, available=4 * GB)
    assert tight.dtype == "bfloat16"


def test_float64_weights_are_checked_in_float64():
    decision = decide_check("auto", "auto", "float64", 10, CONFIG, available=4 * GB)
    assert decision.dtype == "float64"


def test_a_check_that_does_not_fit_is_skipped_and_says_so():
    skipped = decide_check("auto", "auto", "bfloat16", 70 * GB, CONFIG, available=8 * GB)
    assert (skipped.dtype, skipped.status) == (None, "skipped")
    assert "8 GB are available" in skipped.reason


def test_a_check_that_is_insisted_on_and_does_not_fit_is_refused():
    with pytest.raises(InputError, match="--check off"):
        decide_check("on", "auto", "bfloat16", 70 * GB, CONFIG, available=8 * GB)


def test_a_dtype_that_was_asked_for_is_not_replaced():
    skipped = decide_check("auto", "float32", "bfloat16", GB, CONFIG, available=4 * GB)
    assert skipped.status == "skipped"


def test_switched_off_is_off():
    off = decide_check("off", "auto", "float32", 1, CONFIG, available=100 * GB)
    assert (off.dtype, off.status) == (None, "off")


def test_the_memory_of_a_check_is_that_of_one_model():
    assert 4 * GB < check_memory(GB, "float32", 0) < 6 * GB


@pytest.mark.parametrize(
    ("params", "mixture", "peak"),
    [(200_184_576, False, 1.64e9), (152_980_224, False, 1.48e9), (294_574_848, True, 3.0e9)],
)
def test_the_estimate_covers_peaks_that_were_measured_and_not_by_much(params, mixture, peak):
    """Peak memory of whole commands: identity, widen_ffn and upcycle of a Llama of 125M."""
    assert peak < check_memory(params, "float32", 4 * 128 * 32000, mixture) < 1.5 * peak


def control_group(folder, limit, used, cache, version=2):
    names = {
        2: ("memory.max", "memory.current", "inactive_file"),
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    }[version]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\n{names[2]} {cache}\n")


def test_a_batch_jobs_limit_counts_and_files_kept_in_memory_do_not(tmp_path):
    """After a large checkpoint was read, the group's use is mostly such files."""
    root, own = tmp_path / "cgroup", tmp_path / "self"
    own.write_text("0::/slurm/job_7/step_0\n")
    control_group(root / "slurm", "max", 0, 0)
    control_group(root / "slurm/job_7", 32 * GB, 30 * GB, 28 * GB)
    control_group(root / "slurm/job_7/step_0", "max", 30 * GB, 0)
    assert control_group_memory(root, own) == [30 * GB]


def test_the_older_control_groups_are_read_too(tmp_path):
    root, own = tmp_path / "cgroup", tmp_path / "self"
    own.write_text("9:cpu,cpuacct:/a\n4:memory:/docker/abc\n")
    control_group(root / "memory/docker/abc", 8 * GB, 5 * GB, GB, version=1)
    assert control_group_memory(root, own) == [4 * GB]


def test_without_control_groups_nothing_is_said(tmp_path):
    assert control_group_memory(tmp_path / "none", tmp_path / "no-file") == []
