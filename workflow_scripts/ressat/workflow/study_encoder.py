"""An encoder of a study: its network, weights and features. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass

from ressat.encoders.encoder import RANDOM, Encoder
from ressat.workflow.user_paths import expand_path


@dataclass(frozen=True)
class StudyEncoder:
    """An encoder of a study.

    Attributes
    ----------
    name
        Its name in the study.
    description
        The network.
    settings
        ``encoder``, ``weights``, ``mean`` and ``sd``.
    weights
        File of its weights; None for random weights, or an own encoder that needs none.
    place
        Where the settings stand in the config, for messages.
    is_first
        Whether its features lie where those of a lone encoder do, with colour statistics.
    """

    name: str
    description: Encoder
    settings: Mapping
    weights: str | None
    place: str
    is_first: bool

    @classmethod
    def of(
        cls, name: str, description: Encoder, settings: Mapping, *, place: str, is_first: bool
    ) -> "StudyEncoder":
        """Return the encoder of some settings.

        Parameters
        ----------
        name, description, settings, place, is_first
            See the attributes.

        Raises
        ------
        InputError
            If the path of the weights cannot be read.
        """
        setting = settings["weights"]
        if setting in description.published:
            weights = f"resources/weights/{description.name}_{setting}.pth"
        else:
            weights = None if setting in (RANDOM, None) else expand_path(setting, f"{place}.weights")
        description = description.with_pixels(settings["mean"], settings["sd"])
        return cls(name, description, settings, weights, place, is_first)

    @property
    def fetches_weights(self) -> bool:
        """Whether its weights are downloaded."""
        return self.settings["weights"] in self.description.published

    @property
    def is_checked(self) -> bool:
        """Whether it has a file of the user's to be checked, of weights or its own.

        Weights that are downloaded are checked by their SHA-256 then.
        """
        own_weights = self.weights is not None and not self.fetches_weights
        return own_weights or self.description.definition is not None

    @property
    def is_random(self) -> bool:
        """Whether it may draw at random, as one of the user's own may beside its weights."""
        return self.weights is None or self.description.definition is not None

    @property
    def record(self) -> dict:
        """Names and settings, and whether it has files of weights and of its own."""
        return {
            "name": self.name,
            "encoder": self.description.name,
            "mean": self.settings["mean"],
            "sd": self.settings["sd"],
            "has_weights": self.weights is not None,
            "has_definition": self.description.definition is not None,
        }

    def features(self, sample: str) -> str:
        """Return the cache of a section's features."""
        return f"results/features/{self._file(sample)}.h5"

    def benchmark(self, sample: str) -> str:
        """Return Snakemake's record of how long a section's features took."""
        return f"benchmarks/extract_features/{self._file(sample)}.tsv"

    def _file(self, sample: str) -> str:
        return sample if self.is_first else f"{self.name}/{sample}"
