import ast

import pytest

from bootlaw.training.text.docstrings import (
    DOCSTRING_OR_ARGUMENT,
    docstrings,
    without_docstrings,
)
from bootlaw.training.text.environment import is_prose_path, read_source, stdlib_files


def test_docstrings_are_found_in_source_order():
    source = '''# comment
"""Module."""
class A:  # noqa
    """Class.

    Text.
        Deeper."""
    def f(self):
        r\'\'\'Raw \\d.\'\'\'
        call("""argument""")
'''
    assert list(docstrings(source)) == ["Module.", "Class.\n\nText.\n    Deeper.", "Raw \\d."]
    assert "argument" in list(docstrings(source, DOCSTRING_OR_ARGUMENT))


def test_escapes_are_resolved_and_invalid_ones_tolerated():
    assert list(docstrings('"""A\\x41 \\d."""')) == ["AA \\d."]
    assert list(docstrings('"""A \\x."""')) == [""]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"""M."""\nx = 1\n', "x = 1\n"),
        ('def f():\n    """D."""\n', "def f():\n    pass\n"),
        ('def f():\n    """D."""\n    return 1\n', "def f():\n    return 1\n"),
        ('def f(): "D."\n', "def f(): pass\n"),
        ('def f(): "D."; return 1\n', "def f(): pass; return 1\n"),
        ('def f():\n    "D."  # why\n    return 1\n', "def f():\n    # why\n    return 1\n"),
        ('class A:\n    "D."\n    "E."\n    x = 1\n', "class A:\n    x = 1\n"),
        ('class A:\n    ("D"\n     "E")\n    x = 1\n', "class A:\n    x = 1\n"),
        ('def f():\n    """é\n    é"""; é = 1\n', "def f():\n    pass; é = 1\n"),
        ('if x: \\\n "D."\n', "if x: \\\n pass\n"),
        ('try:\n  "a"\nexcept E:\n  "b"\n', "try:\n  pass\nexcept E:\n  pass\n"),
        ('x = """kept"""\nf("""kept""")\n', 'x = """kept"""\nf("""kept""")\n'),
    ],
)
def test_docstrings_are_removed_exactly(source, expected):
    assert without_docstrings(source) == expected
    ast.parse(expected)


def test_source_that_does_not_parse_is_refused():
    with pytest.raises(SyntaxError):
        without_docstrings("def f(:\n")


def _sample():
    files = [item for item in stdlib_files() if is_prose_path(item[0])]
    return [pytest.param(path, id=name) for name, path in files[::40]]


@pytest.mark.parametrize("path", _sample())
@pytest.mark.filterwarnings("ignore")
def test_the_standard_library_keeps_no_docstring_and_stays_valid(path):
    source = read_source(path)
    try:
        tree = ast.parse(source)
    except SyntaxError:
        pytest.skip("not valid Python to begin with")
    code = without_docstrings(source)
    stripped = ast.parse(code)
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    assert all(
        ast.get_docstring(node) is None for node in ast.walk(stripped) if isinstance(node, owners)
    )
    assert _calls(tree) == _calls(stripped)
    found = [text for text in docstrings(source) if len(text) > 60 and "\n" not in text]
    assert not [text for text in found if text in code]


def _calls(tree):
    return [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
