"""What the check of an encoder found, for the study's table. Standard library only."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ressat.base.fields import ANY_TEXT, ANYTHING, ListOf, Optional, Record, Sha256
from ressat.base.files import FORMAT_VERSION, write_text
from ressat.base.own_file import damaged, read_json
from ressat.encoders.encoder import Encoder


@dataclass(frozen=True)
class EncoderRecord:
    """An encoder that passed its check.

    Attributes
    ----------
    encoder, title
        Its name in the study, and the network's as people write it.
    weights
        Their file, as the study names it; None without.
    weights_sha256
        See `ressat.encoders.network.weights_sha256`.
    layers
        Widths of its outputs, by name.
    licence, page
        Of the weights, and where they can be had.
    gated
        Whether access has to be asked for.
    warnings
        Sentences.
    """

    encoder: str
    title: str
    weights: str | None
    weights_sha256: str
    layers: dict[str, int]
    licence: str
    page: str
    gated: bool
    warnings: list[str]

    @classmethod
    def of(
        cls, name: str, encoder: Encoder, weights: str | None, weights_sha256: str, warnings: list[str]
    ) -> "EncoderRecord":
        """Return the record of an encoder whose network was loaded."""
        return cls(
            encoder=name,
            title=encoder.title,
            weights=None if weights is None else str(weights),
            weights_sha256=weights_sha256,
            layers=dict(encoder.layers),
            licence=encoder.licence,
            page=encoder.page,
            gated=encoder.gated,
            warnings=warnings,
        )

    @property
    def sentence(self) -> str:
        """What it is, where it comes from, and under which licence."""
        layers = ", ".join(f"{name} ({width})" for name, width in self.layers.items())
        access = ", where access has to be asked for" if self.gated else ""
        return (
            f"{self.title}, weights {self.weights or 'none'} (SHA-256 {self.weights_sha256[:12]}), giving "
            f"{layers}; licence: {self.licence}; source: {self.page}{access}"
        )

    def write(self, path: str | Path) -> None:
        """Write results/encoders/{encoder}.json, as a whole."""
        write_text(path, json.dumps(asdict(self) | {"version": FORMAT_VERSION}, indent=2) + "\n")

    @classmethod
    def read(cls, path: str | Path) -> "EncoderRecord":
        """Read the file that `write` wrote.

        Raises
        ------
        InputError
            If it is damaged or of another version of the format.
        """
        content = read_json(path, STORED)
        del content["version"]
        record = cls(**content)
        if not isinstance(record.layers, dict) or not isinstance(record.gated, bool):
            raise damaged("layers or gated is of another kind", path)
        return record


STORED = Record(
    {
        **dict.fromkeys(("encoder", "title", "licence", "page"), ANY_TEXT),
        "weights": Optional(ANY_TEXT),
        "weights_sha256": Sha256(),
        **dict.fromkeys(("layers", "gated"), ANYTHING),
        "warnings": ListOf(ANY_TEXT),
    }
)
