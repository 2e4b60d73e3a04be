"""Two runs of a study, number by number: are the results of one version those of another?

Run with: python benchmarks/compare_results.py STUDY OTHER
Compared are tables, Parquet, HDF5, AnnData, JSON and saved models below results/ of both: every number, every
text, and which files there are. Pictures, and the report, which says by what it was made, are left out.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch

LEFT_OUT = {".html", ".png", ".pdf", ".tiff"}


@dataclass
class Comparison:
    """What two runs have in common, and where they differ."""

    files: int = 0
    numbers: int = 0
    texts: int = 0
    largest: float = 0.0
    differences: list[str] = field(default_factory=list)

    def compare(self, where: str, one: object, other: object) -> None:
        """Hold two values, arrays or collections of them against each other."""
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            if set(one) != set(other):
                self.differences.append(f"{where}: {sorted(set(one) ^ set(other))} on one side only")
            for name in set(one) & set(other):
                self.compare(f"{where} {name}", one[name], other[name])
            return
        one, other = np.asarray(one), np.asarray(other)
        if one.shape != other.shape or (one.dtype.kind in "iufb") != (other.dtype.kind in "iufb"):
            self.differences.append(f"{where}: {one.dtype} {one.shape}, {other.dtype} {other.shape}")
        elif one.dtype.kind in "iufb":
            self.numbers += one.size
            a, b = one.astype(float), other.astype(float)
            same = (a == b) | (np.isnan(a) & np.isnan(b))
            if not same.all():
                away = float(np.nanmax(np.abs(a - b)[~same], initial=0.0))
                self.largest = max(self.largest, away)
                self.differences.append(
                    f"{where}: {(~same).sum()} of {one.size} numbers, by up to {away:.3g}"
                )
        else:
            self.texts += one.size
            if not np.array_equal(one.astype(str), other.astype(str)):
                self.differences.append(f"{where}: text")


def contents(path: Path) -> Iterator[tuple[str, object]]:
    """Give the values of a file, each with its name."""
    if path.suffix in (".h5", ".h5ad"):
        with h5py.File(path) as file:
            parts: list[tuple[str, h5py.HLObject]] = [("/", file)]
            file.visititems(lambda name, part: parts.append((name, part)))
            for name, part in parts:
                yield f"{name} attributes", {key: part.attrs[key] for key in part.attrs}
                if isinstance(part, h5py.Dataset):
                    yield name, part[()]
    elif path.suffix == ".tsv":
        yield "", pd.read_csv(path, sep="\t", keep_default_na=False).to_dict("list")
    elif path.suffix == ".parquet":
        yield "", pd.read_parquet(path).to_dict("list")
    elif path.suffix == ".json":
        yield "", _flat(json.loads(path.read_text(encoding="utf-8")))
    elif path.suffix == ".pt":
        yield "", _flat(torch.load(path, map_location="cpu", weights_only=True))
    else:
        yield "", path.read_text(encoding="utf-8")


def _flat(value: object, name: str = "") -> dict[str, object]:
    """Values by the path that leads to them."""
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple) and any(isinstance(one, Mapping | list | tuple) for one in value):
        items = enumerate(value)
    else:
        return {name: value if value is not None else "null"}
    return {key: leaf for part, inner in items for key, leaf in _flat(inner, f"{name}/{part}").items()}


def results(study: Path) -> dict[str, Path]:
    """Files that are compared, by their place below results/."""
    folder = study / "results"
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path for name, path in files.items() if path.suffix not in LEFT_OUT}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("other", type=Path)
    studies = parser.parse_args()
    one, other = results(studies.study), results(studies.other)
    comparison = Comparison()
    comparison.differences += [f"{name}: in one study only" for name in sorted(set(one) ^ set(other))]
    for name in sorted(set(one) & set(other)):
        comparison.files += 1
        comparison.compare(name, dict(contents(one[name])), dict(contents(other[name])))
    print(
        f"{comparison.files} files, {comparison.numbers} numbers, {comparison.texts} texts; "
        f"{len(comparison.differences)} differences, of numbers by up to {comparison.largest:.3g}"
    )
    print(*comparison.differences, sep="\n")
    sys.exit(1 if comparison.differences else 0)


if __name__ == "__main__":
    main()
