"""A section's data for training: features, targets and coordinates, spot by spot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ressat.base.errors import InputError, about, about_its_file
from ressat.counts.expression import LogExpression, read_log_expression
from ressat.counts.expression_unit import LOG1P_CP10K, ExpressionUnit
from ressat.features.cache import Features
from ressat.features.joint import Caches, read_features
from ressat.stats.neighbours import spot_pitch


@dataclass(frozen=True)
class SectionData:
    """A section's data for training.

    Attributes
    ----------
    section, patient
        Names.
    features
        float32, shape (spots, features), as cached.
    targets
        float32, shape (spots, genes), in the study's unit of expression.
    log_counts
        Natural logarithm of the spots' total counts: their sequencing depth, shape (spots,).
    coords
        Centres in um, shape (spots, 2).
    widths
        Widths of the feature layers by name, in the order in which they are joined.
    """

    section: str
    patient: str
    features: np.ndarray
    targets: np.ndarray
    log_counts: np.ndarray
    coords: np.ndarray
    widths: Mapping[str, int]

    def part(self, spots: np.ndarray) -> "SectionData":
        """Return some of the spots, by a boolean mask of shape (spots,)."""
        by_spot = ("features", "targets", "log_counts", "coords")
        return replace(self, **{name: getattr(self, name)[spots] for name in by_spot})

    def columns(self, layers: Sequence[str]) -> np.ndarray:
        """Return the columns of some layers in the features."""
        ends = dict(zip(self.widths, np.cumsum(list(self.widths.values())), strict=True))
        return np.concatenate([np.arange(ends[name] - self.widths[name], ends[name]) for name in layers])


def typical_pitch(sections: Sequence[SectionData]) -> float:
    """Return the median over sections of their spot pitch, in um; those with a single spot have none."""
    return float(np.nanmedian([spot_pitch(data.coords) for data in sections]))


def load_section(
    caches: Caches,
    expression_file: str | Path,
    *,
    patient: str,
    genes: Sequence[str],
    unit: ExpressionUnit = LOG1P_CP10K,
) -> tuple[SectionData, Features]:
    """Read a labelled section from its features and its counts.

    Parameters
    ----------
    caches
        Its feature caches by encoder.
    expression_file
        results/expression/{sample}.h5ad.
    patient
        The patient the section comes from.
    genes
        Names of the targets.
    unit
        Of the targets.

    Returns
    -------
    tuple of SectionData, Features
        The data for training, with all cached layers side by side; and the features with provenance.

    Raises
    ------
    InputError
        If the two files are not about the same spots, or genes are missing.
    """
    features = read_features(caches, layers=None)
    with about(section=features.section, file=expression_file):
        observed = observed_expression(expression_file, genes, features, unit)
        is_missing = np.isnan(observed.values).any(axis=0)
        if is_missing.any():
            missing = [genes[column] for column in np.flatnonzero(is_missing)]
            raise InputError(
                f"{len(missing)} genes of the panel are missing ({', '.join(missing[:5])})",
                expected="all of them in a training section",
                action="use the same gene names in all training sections",
            )
    coords = features.coords * features.attrs["mpp"]
    data = SectionData(
        features.section,
        patient,
        features.values,
        observed.values,
        np.log(observed.n_counts),
        coords,
        features.widths,
    )
    return data, features


def load_sections(
    caches: Sequence[Caches],
    expression_files: Sequence[str],
    patients: dict[str, str],
    genes: Sequence[str],
    unit: ExpressionUnit = LOG1P_CP10K,
) -> tuple[list[SectionData], list[Features]]:
    """Read several labelled sections; see `load_section`.

    Parameters
    ----------
    caches, expression_files
        In the same order.
    patients
        By section.
    genes
        Names of the targets.
    unit
        Of the targets.
    """
    pairs = []
    for of_section, expression_file in zip(caches, expression_files, strict=True):
        section = read_features(of_section).section
        pairs.append(
            load_section(of_section, expression_file, patient=patients[section], genes=genes, unit=unit)
        )
    return [data for data, _ in pairs], [features for _, features in pairs]


@about_its_file
def observed_expression(
    expression_file: str | Path,
    genes: Sequence[str],
    features: Features,
    unit: ExpressionUnit = LOG1P_CP10K,
) -> LogExpression:
    """Read the measured expression of exactly the spots that have features.

    Parameters
    ----------
    expression_file
        results/expression/{sample}.h5ad.
    genes
        Names; a gene that the section does not have gives NaN.
    features
        The section's features.
    unit
        Of the expression.

    Raises
    ------
    InputError
        If the spots differ, or the section has none of the genes.
    """
    observed = read_log_expression(expression_file, genes, unit)
    if not np.array_equal(features.barcodes, observed.barcodes):
        raise InputError(
            f"its {len(observed.barcodes)} spots are not the {len(features.barcodes)} that have features",
            expected="features of exactly the spots that have counts",
            action="remove the section's features file and run again",
        )
    if np.isnan(observed.values).all():
        raise InputError(
            f"it has none of the {len(genes)} genes of the panel ({', '.join(genes[:3])})",
            expected="the gene names of the training sections",
            action="convert them to symbols or to Ensembl ids, the same in all sections",
        )
    return observed
