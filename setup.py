"""The compiled part of the package; everything else is in pyproject.toml."""

from setuptools import Extension, setup

KERNEL = "src/bootlaw/fitting/csrc"

setup(
    ext_modules=[
        Extension(
            "bootlaw.fitting._kernel",
            [
                f"{KERNEL}/{name}.c"
                for name in ("linear", "module", "newton", "objective", "program")
            ],
            depends=[
                f"{KERNEL}/{n}.h"
                for n in ("elementary", "linear", "newton", "objective", "program")
            ],
            # Without errno and traps the compiler may keep rows in vector registers; sums stay in
            # the order that the source gives. Python's own -fwrapv costs a quarter of the speed.
            extra_compile_args=["-O3", "-fno-wrapv", "-fno-math-errno", "-fno-trapping-math"],
            py_limited_api=True,
            # Without a compiler the package installs all the same and NumPy does the work.
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
