"""Element types, by torch's names: ``bfloat16``. Only reading or building a tensor needs torch."""

from __future__ import annotations

DTYPES: dict[str, str] = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
}
"""Name in a safetensors header -> torch's name; other types are of packed formats."""

NAMES: dict[str, str] = {torch_name: name for name, torch_name in DTYPES.items()}

_BYTES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
}


def itemsize(dtype: str) -> int:
    """Return the bytes of one element."""
    return _BYTES.get(dtype, 1)


def is_plain_float(dtype: str) -> bool:
    """True for the types in which weights are trained and stored unpacked."""
    return dtype in ("float64", "float32", "float16", "bfloat16")
