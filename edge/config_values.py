"""The kinds of values that a configuration has, and what each must look like."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

LARGEST = 2**63
SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def _below_folder(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path())
    try:
        return Path(folder, path.expanduser()).absolute()
    except RuntimeError as error:
        raise ValueError(f"whose home is {path.parts[0]}? write the path out") from error


def _not_empty(value: object) -> object:
    if value == "":
        raise ValueError("expected a path")
    return value


def _bytes(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?B?)\s*", value, re.IGNORECASE)
    unit = match.group(2).upper() if match else "?"
    unit = unit if unit in SIZES or unit.endswith("B") else unit + "B"
    size = float(match.group(1)) * SIZES[unit] if match and unit in SIZES else LARGEST
    if size >= LARGEST:
        raise ValueError("expected a size such as 500MB or 20GB")
    return int(size)


def _bundle(name: str, info: ValidationInfo) -> str:
    return name if name.startswith("@") else str(_below_folder(Path(name), info))


def _no_secret(url: str) -> str:
    if "@" in url:
        raise ValueError(
            "user and password belong into credentials_file, not into the URL (any other @ is %40)"
        )
    return url


FilePath = Annotated[Path, BeforeValidator(_not_empty), AfterValidator(_below_folder)]
Url = Annotated[str, AfterValidator(_no_secret)]
ByteSize = Annotated[int, BeforeValidator(_bytes), Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
Share = Annotated[float, Field(gt=0, lt=1)]
DAY_MS = 24 * 3600 * 1000
Milliseconds = Annotated[float, Field(ge=0, le=DAY_MS)]
BundleName = Annotated[str, BeforeValidator(_not_empty), AfterValidator(_bundle)]
