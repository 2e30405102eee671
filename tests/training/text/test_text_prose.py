from collections import Counter

import pytest

from bootlaw.training.text.blocks import paragraphs
from bootlaw.training.text.english import is_english, paragraph_key, without_lead_in
from bootlaw.training.text.markup import plain_text
from bootlaw.training.text.prose import ProseCleaner

NUMPY_STYLE = """Return the mean of the values along the given axis.

The mean is the sum of the elements divided
by the number of them.  See :func:`numpy.median` for
a measure that is less sensitive to outliers::

    code_that_is_dropped()

    and_more_of_it()

Parameters
----------
a : array_like
    The values whose mean is wanted, of any shape that the function takes.
axis : int, optional
    The axis along which the means are computed.

.. versionadded:: 1.7
   This text belongs to a directive that is left out.

.. note:: The result is a copy of the data and never a view of it.

Examples
--------
>>> mean([1, 2])
1.5
This line is output, not prose, and it is left out of the text.

+------+------+
| This | is a |
+------+------+
"""

MARKDOWN = """# A heading

This package [reads files](https://example.org/a_(b)) and writes **them** to a folder.

```python
this = "code that is in a fence and it is not to be kept by us"
```

- The first point of the list that we
  wrote down here continues on a second line.
"""

GOOGLE_STYLE = """Compute the loss of the model.

Args:
    inputs (`torch.Tensor` of shape `(batch,)`, *optional*):
        The tokens of the sequence that the model has to predict.
    scale (float): The factor by which the loss is to be multiplied.

Returns:
    The mean of the loss over all of the tokens in the batch.
"""


def clean(text):
    kept = (without_lead_in(plain_text(block)) for block in paragraphs(text))
    return [paragraph for paragraph in kept if is_english(paragraph)]


def test_numpy_style():
    assert clean(NUMPY_STYLE) == [
        "Return the mean of the values along the given axis.",
        "The mean is the sum of the elements divided by the number of them.",
        "The values whose mean is wanted, of any shape that the function takes.",
        "The axis along which the means are computed.",
        "The result is a copy of the data and never a view of it.",
    ]


def test_markdown():
    assert clean(MARKDOWN) == [
        "This package reads files and writes them to a folder.",
        "The first point of the list that we wrote down here continues on a second line.",
    ]


def test_google_style():
    assert clean(GOOGLE_STYLE) == [
        "Compute the loss of the model.",
        "The tokens of the sequence that the model has to predict.",
        "The factor by which the loss is to be multiplied.",
        "The mean of the loss over all of the tokens in the batch.",
    ]


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("the ``name`` of it", "the name of it"),
        ("see :py:meth:`~a.b.close` and :ref:`here <target>`", "see close and here"),
        ("as in [1]_, the `page <https://a.b>`__ says", "as in, the page says"),
        ("a *weak* and a **strong** word, 2 * 3 * 4", "a weak and a strong word, 2 * 3 * 4"),
        ("use [`Trainer`] or <b>this</b>", "use Trainer or this"),
        ("call `x`'s .replace()  now", "call x's .replace() now"),
        ("the perm[i]-th column", "the perm[i]-th column"),
    ],
)
def test_inline_markup(marked, plain):
    assert plain_text(marked) == plain


@pytest.mark.parametrize(
    "paragraph",
    [
        "x = np.array([1, 2, 3]) and it is the value of the array.",
        "Licensed under the terms of the licence that is in the file.",
        "int, float, str, bytes, bytearray, memoryview, tuple, list.",
        "Ce texte est en langue française et ne doit pas rester.",
        "A sentence that the writer did not end and that is of no",
        "Too short to be.",
    ],
)
def test_what_is_not_english_prose_is_refused(paragraph):
    assert not is_english(paragraph)


def test_a_paragraph_is_kept_once_whatever_its_names_and_numbers():
    one = "Construct a BertModel with 12 layers from the given configuration."
    two = "construct a  GPT2Model with 6 layers from the given configuration."
    assert paragraph_key(one) == paragraph_key(two.replace("construct", "Construct"))
    assert paragraph_key(one) != paragraph_key(one.replace("layers", "heads"))


def test_the_cleaner_counts_what_it_drops():
    dropped = Counter()
    cleaner = ProseCleaner(dropped)
    text = NUMPY_STYLE + "\n" + NUMPY_STYLE
    document = cleaner.clean(text)
    assert document.endswith("\n")
    assert document.count("Return the mean") == 1
    assert dropped["repeated paragraphs"] == 5
    assert cleaner.clean(text) is None
    assert dropped["documents with too little prose"] == 1
