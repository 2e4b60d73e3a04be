"""What a section gives to training: features, targets and places, spot by spot."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ressat.base import keys
from ressat.base.errors import InputError
from ressat.counts.expression import read_log_expression
from ressat.features.cache import Features


@dataclass(frozen=True)
class SectionData:
    """What a section gives to training.

    Attributes
    ----------
    section, patient
        Names.
    features
        float32, shape (spots, features), as cached.
    targets
        float32, shape (spots, genes), log1p CP10k.
    coords
        Centres in um, shape (spots, 2).
    """

    section: str
    patient: str
    features: np.ndarray
    targets: np.ndarray
    coords: np.ndarray

    def part(self, chosen: np.ndarray) -> "SectionData":
        """Return some of the spots, by a boolean mask of shape (spots,)."""
        return replace(
            self, features=self.features[chosen], targets=self.targets[chosen], coords=self.coords[chosen]
        )


# See `Scaler.fit`.
DEAD_FEATURES_BELOW = 1e-3


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of each column, over spots."""

    mean: np.ndarray
    sd: np.ndarray

    @classmethod
    def fit(cls, tables: list[np.ndarray], dead_below: float = 0.0) -> "Scaler":
        """Fit on the rows of all tables.

        Parameters
        ----------
        tables
            Shape (spots, columns) each.
        dead_below
            Columns whose standard deviation is below this share of the largest count as constant.
            Units of a network that hardly ever fire would otherwise be blown up to thousands of standard
            deviations in a section where they do.
        """
        rows = np.concatenate(tables).astype(np.float64)
        sd = rows.std(axis=0)
        # A constant column keeps its unit: its z values are then small, and finite.
        return cls(rows.mean(axis=0), np.where(sd > max(1e-8, dead_below * sd.max()), sd, 1.0))

    def scale(self, table: np.ndarray) -> np.ndarray:
        """To z units, float64."""
        return (table - self.mean) / self.sd

    def unscale(self, table: np.ndarray) -> np.ndarray:
        """Back from z units, float64."""
        return table * self.sd + self.mean


def layer_columns(layers: Sequence[str]) -> np.ndarray:
    """Return the columns of some layers in features of all of `keys.LAYERS`, side by side."""
    ends = dict(zip(keys.LAYERS, np.cumsum(list(keys.LAYER_WIDTHS.values())), strict=True))
    return np.concatenate([np.arange(ends[name] - keys.LAYER_WIDTHS[name], ends[name]) for name in layers])


def load_section(
    features_file: str | Path,
    expression_file: str | Path,
    *,
    patient: str,
    layers: Sequence[str],
    genes: Sequence[str],
) -> tuple[SectionData, Features]:
    """Read a labelled section from its feature cache and its counts.

    Parameters
    ----------
    features_file, expression_file
        results/features/{sample}.h5 and results/expression/{sample}.h5ad.
    patient
        Whom the section is from.
    layers
        Feature layers, side by side.
    genes
        Names of the targets.

    Returns
    -------
    tuple of SectionData, Features
        For training, and with provenance.

    Raises
    ------
    InputError
        If the two files are not about the same spots, or genes are missing.
    """
    features = Features.read(features_file, layers)
    targets = observed_expression(expression_file, genes, features)
    if np.isnan(targets).any():
        missing = [genes[column] for column in np.flatnonzero(np.isnan(targets).any(axis=0))]
        raise InputError(
            f"{len(missing)} genes of the panel are missing ({', '.join(missing[:5])})",
            expected="all of them in a section that is learnt from",
            action="use the same gene names in all training sections",
            section=features.section,
            file=expression_file,
        )
    coords = features.coords * features.attrs["mpp"]
    return SectionData(features.section, patient, features.values, targets, coords), features


def load_sections(
    features_files: Sequence[str],
    expression_files: Sequence[str],
    patients: dict[str, str],
    layers: Sequence[str],
    genes: Sequence[str],
) -> tuple[list[SectionData], list[Features]]:
    """Read several labelled sections; see `load_section`.

    Parameters
    ----------
    features_files, expression_files
        In the same order.
    patients
        By section.
    layers, genes
        Feature layers and targets.
    """
    pairs = []
    for features_file, expression_file in zip(features_files, expression_files, strict=True):
        section = Features.read(features_file).section
        pairs.append(
            load_section(
                features_file, expression_file, patient=patients[section], layers=layers, genes=genes
            )
        )
    return [data for data, _ in pairs], [features for _, features in pairs]


def observed_expression(expression_file: str | Path, genes: Sequence[str], features: Features) -> np.ndarray:
    """Read the measured expression of the very spots that have features.

    Parameters
    ----------
    expression_file
        results/expression/{sample}.h5ad.
    genes
        Names; one that the section does not have gives NaN.
    features
        The section's features.

    Returns
    -------
    numpy.ndarray
        float32, shape (spots, genes), log1p CP10k.

    Raises
    ------
    InputError
        If the spots are others, or the section has none of the genes.
    """
    observed, barcodes = read_log_expression(expression_file, genes)
    if not np.array_equal(features.barcodes, barcodes):
        raise InputError(
            f"its {len(barcodes)} spots are not the {len(features.barcodes)} spots that have features",
            expected="features of the very spots that have counts",
            action="remove the section's features file and run again",
            section=features.section,
            file=expression_file,
        )
    if np.isnan(observed).all():
        raise InputError(
            f"it has none of the {len(genes)} genes of the panel ({', '.join(genes[:3])})",
            expected="the gene names of the training sections",
            action="convert them to symbols or to Ensembl ids, the same in all sections",
            section=features.section,
            file=expression_file,
        )
    return observed
