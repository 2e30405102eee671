"""The light core works where no extra is installed, and no command loads torch in vain."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXTRAS = ("torch", "transformers", "safetensors", "pyarrow", "pandas", "polars", "submitit", "ray")
TABLE = Path(__file__).parent / "data" / "tiny_two_stage.csv"

_HIDE = "import sys\nsys.modules.update(dict.fromkeys({extras!r}))\n"


def python(code, *arguments):
    hidden = _HIDE.format(extras=EXTRAS) + code
    return subprocess.run(
        [sys.executable, "-c", hidden, *map(str, arguments)], capture_output=True, text=True
    )


@pytest.mark.parametrize("room", ["runs", "laws", "fitting", "planning", "reports", "cli.main"])
def test_every_room_of_the_core_imports_without_extras(room):
    done = python(f"import bootlaw.{room}")
    assert done.returncode == 0, done.stderr


def test_reading_fitting_and_forecasting_work_without_extras():
    done = python(
        "import bootlaw\n"
        "fit = bootlaw.fit(sys.argv[1], 'bootstrapped', method='stack')\n"
        "print(bootlaw.forecast(fit, tokens_stage1=1e6, tokens_stage2=5e5).loss)",
        TABLE,
    )
    assert done.returncode == 0, done.stderr
    assert 1.0 < float(done.stdout) < 2.5


def test_a_study_without_its_extra_says_what_to_install(tmp_path):
    done = python(
        "from bootlaw.cli.main import main; sys.exit(main(sys.argv[1:]))",
        "study",
        "smoke",
        "--out",
        tmp_path / "out",
        "--json",
    )
    assert done.returncode == 2
    assert "pip install 'bootlaw[train]'" in done.stderr
    assert json.loads(done.stdout)["exit_code"] == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["fit", str(TABLE), "--method", "stack"], ["laws"]]
)
def test_commands_of_the_core_never_load_torch(arguments):
    code = (
        "import sys\n"
        "from bootlaw.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        "print(sorted(set(sys.modules) & {'torch', 'transformers', 'pandas', 'matplotlib'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_names_at_the_top_are_listed_and_unknown_ones_are_refused():
    import bootlaw

    assert set(bootlaw.__all__) <= set(dir(bootlaw))
    assert callable(bootlaw.fit)
    with pytest.raises(AttributeError, match="no attribute 'fti'"):
        bootlaw.fti  # noqa: B018
