"""One law for several methods at once: each has its own parameters, and all share E."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bootlaw.arguments import require_texts
from bootlaw.errors import InputError
from bootlaw.laws.expression import Symbol, substitute, symbols
from bootlaw.laws.law import Law, Parameter


@dataclass(frozen=True)
class SeveralMethods:
    """A law of several methods, and the law that each of them follows.

    Attributes
    ----------
    law : of all rows together; it reads the column ``method_number``.
    single : of one method.
    methods : in the order of their numbers, from 1.
    shared : names of the parameters that are the same for all methods.
    """

    law: Law
    single: Law
    methods: tuple[str, ...]
    shared: frozenset[str]

    def name(self, parameter: str, method: str) -> str:
        """Return what the joint law calls a parameter of one method."""
        return parameter if parameter in self.shared else own_name(parameter, method)

    def names(self, method: str) -> Mapping[str, str]:
        """Return name in the law of one method -> name in the joint law."""
        return {parameter: self.name(parameter, method) for parameter in self.single.names}


def own_name(parameter: str, method: str) -> str:
    """Return the name of a method's own parameter, ``a3[cpt]``."""
    return f"{parameter}[{method}]"


def several_methods(law: Law, methods: Sequence[str]) -> SeveralMethods:
    """Return the joint law: rows of each method follow `law`, with E and the scratch part shared.

    What two methods are worth is compared at one irreducible loss: two fits with two of them
    would decide it by the difference of two extrapolated constants.

    Raises
    ------
    InputError
        For fewer than two methods, a method named twice, a law of runs from scratch, or one
        without anything to share.
    """
    require_texts(methods=methods)
    if len(methods) < 2 or len(set(methods)) < len(methods):
        raise InputError(f"a joint fit needs two methods or more, each once, not {list(methods)}")
    if not law.is_two_stage:
        raise InputError(f"law {law.key} is one of runs from scratch, which have no method")
    shared = _shared(law)
    if not shared:
        raise InputError(f"law {law.key} has nothing that methods could share: no irreducible loss")
    own = [p for p in law.parameters if p.name not in shared]
    parts = [
        replace(
            part,
            expression=substitute(
                part.expression, {p.name: Symbol(own_name(p.name, method)) for p in own}
            ),
            method=number,
        )
        for number, method in enumerate(methods, 1)
        for part in law.parts
        if part.rows != "scratch"
    ]
    joint = replace(
        law,
        key=f"{law.key} of {' and '.join(methods)}",
        title=f"{law.title}; {', '.join(methods)} together",
        parameters=(
            *(_own(p, method) for method in methods for p in own),
            *(p for p in law.parameters if p.name in shared),
        ),
        parts=(*parts, *(part for part in law.parts if part.rows == "scratch")),
        definitions=(),
    )
    return SeveralMethods(joint, law, tuple(methods), shared)


def _shared(law: Law) -> frozenset[str]:
    scratch = [part for part in law.parts if part.rows == "scratch"]
    found = {name for part in scratch for name in symbols(part.expression)}
    return frozenset(found if law.irreducible is None else {*found, law.irreducible})


def _own(parameter: Parameter, method: str) -> Parameter:
    return replace(
        parameter,
        name=own_name(parameter.name, method),
        meaning=f"{parameter.meaning}, {method}",
        latex=rf"{parameter.latex}^{{\mathrm{{{method}}}}}",
    )
