"""A study as the rules see it: settings, sections and folds, checked before any job runs."""

from dataclasses import dataclass, field
from pathlib import Path

from ressat.base.errors import InputError, about
from ressat.base.roles import PREDICT, TEST, TRAIN
from ressat.counts.expression_unit import ExpressionUnit
from ressat.counts.format import CountsSource
from ressat.encoders.layer_names import encoders_of
from ressat.evaluation.protocol import NOT_SCORED, UNSEEN_PATIENT, WITHIN_PATIENT
from ressat.workflow.encoder_setting import study_encoders, with_encoders
from ressat.workflow.files import find_files
from ressat.workflow.folds import FOLD_BUNDLE, Fold, make_folds
from ressat.workflow.model_settings import ModelSettings
from ressat.workflow.references import (
    PUBLISHED_STAIN,
    check_stain_reference,
    refuse_shared_counts,
    refuse_unknown_simulated,
    require_setting_files,
)
from ressat.workflow.schema import config_schema, sheet_schema
from ressat.workflow.scheme import Scheme
from ressat.workflow.schemes.registry import SCHEMES
from ressat.workflow.settings import check_schema
from ressat.workflow.sheet import Section, read_sheet
from ressat.workflow.study_encoder import StudyEncoder
from ressat.workflow.user_paths import expand_path

IMAGE_REFERENCE, BUNDLE_REFERENCE = "results/stain_reference.json", "results/bundle_stain.json"


@dataclass(frozen=True)
class Study:
    """Everything that is known about a study before a job runs.

    Attributes
    ----------
    config
        The merged settings.
    sections
        The sheet's rows by sample.
    folds
        By name.
    converted
        Sections whose slide has to be rewritten before OpenSlide can read it.
    counts
        Where the counts of each labelled section are.
    encoders
        The networks that read the tiles, by their names in the study, the first one first.
    config_file
        The study's own config, for messages.
    """

    config: dict
    sections: dict[str, Section]
    folds: dict[str, Fold]
    converted: frozenset[str] = frozenset()
    counts: dict[str, CountsSource] = field(default_factory=dict)
    encoders: dict[str, StudyEncoder] = field(default_factory=dict)
    config_file: str = "config.yaml"

    @classmethod
    def load(cls, config: dict, config_file: str, schemas: str | Path) -> "Study":
        """Check settings and sheet against one another and against what is on disk.

        Parameters
        ----------
        config
            The merged settings.
        config_file
            The study's own config, for messages.
        schemas
            Folder of the JSON schemas.

        Raises
        ------
        InputError
            For the first thing found wrong. No slide is opened; of a TIFF, the first tags are read.
        ExceptionGroup
            Of InputErrors: one for each of several sections whose files are missing or of unknown format.
        """
        with about(file=config_file):
            schema = config_schema(schemas, config)
            check_schema(config, schema, config_file)
            encoders = study_encoders(config)
            config = with_encoders(config, encoders)
            sheet = expand_path(config["samples"], "samples")
        sheet_sections = read_sheet(sheet, sheet_schema(schemas))
        sections = {name: section for name, section in sheet_sections.items() if section.include}
        if PUBLISHED_STAIN in sections:
            raise InputError(
                f"a section named {PUBLISHED_STAIN}",
                expected="another name: stain.reference uses this one",
                action="rename the section",
                file=sheet,
            )
        model = config["model"]["use"]
        folds = make_folds(sections.values(), config["evaluation"], bundle=model, sheet=sheet)
        simulated = config["simulate"].get("sections", {})
        refuse_unknown_simulated(simulated, sheet_sections, sheet, config_file)
        converted, counts = find_files(sections, simulated)
        refuse_shared_counts(sections, sheet)
        study = cls(config, sections, folds, converted, counts, encoders, config_file)
        study._check_references(schema)
        return study

    def converted_slide(self, sample: str) -> str | None:
        """Return the file that a section's slide is rewritten to; None where OpenSlide reads it as it is."""
        return f"results/slides/{sample}.tiff" if sample in self.converted else None

    @property
    def described(self) -> dict[str, dict[str, str]]:
        """Patient and role of every section."""
        return {
            name: {"patient": section.patient, "role": section.role}
            for name, section in self.sections.items()
        }

    @property
    def result_settings(self) -> dict:
        """Return the settings that results depend on, for the report."""
        return {name: value for name, value in self.config.items() if name != "simulate"}

    def patients(self, samples: tuple[str, ...]) -> dict[str, str]:
        """Return the patient of each of some sections."""
        return {sample: self.sections[sample].patient for sample in samples}

    def counts_paths(self, sample: str) -> list[Path]:
        """Return the files of a section's counts; none without counts."""
        files = self.counts[sample].files.values() if sample in self.counts else ()
        return [path for paths in files for path in (paths if isinstance(paths, list) else [paths])]

    @property
    def counts_reference(self) -> str | None:
        """The section whose gene names the others must share; None without counts."""
        return next(iter(self.counts), None)

    def is_training_section(self, sample: str) -> bool:
        """Tell whether any model learns from a section."""
        return any(sample in fold.train for fold in self.folds.values())

    def sides(self, fold: str) -> dict[str, str]:
        """Return the side of each labelled section of a fold."""
        sections = self.folds[fold]
        return dict.fromkeys(sections.train, TRAIN) | dict.fromkeys(sections.test, TEST)

    @property
    def fold_rows(self) -> list[dict[str, str]]:
        """Rows of results/folds/folds.tsv: fold, sample, patient, side."""
        return [
            {"fold": fold.name, "sample": sample, "patient": self.sections[sample].patient, "side": side}
            for fold in self.folds.values()
            for side in (TRAIN, TEST, PREDICT)
            for sample in getattr(fold, side)
        ]

    def protocol(self, fold: str, sample: str) -> str:
        """Name the protocol of a prediction's scores; it is written next to every score."""
        if sample not in self.folds[fold].test:
            return NOT_SCORED
        training_patients = set(self.patients(self.folds[fold].train).values())
        # Leaving out sections says nothing about unseen patients, whatever patients the sheet names.
        within = not self.scheme.across_patients or self.sections[sample].patient in training_patients
        return f"{self.scheme.name.replace('_', ' ')}, {WITHIN_PATIENT if within else UNSEEN_PATIENT}"

    @property
    def allows_within_patient(self) -> bool:
        """Whether a patient may be on both sides of a fold."""
        return self.config["evaluation"]["within_patient"] or not self.scheme.across_patients

    @property
    def scheme(self) -> Scheme:
        """How sections are divided into training and test sections."""
        return SCHEMES.load(self.config["evaluation"]["scheme"])

    @property
    def first_encoder(self) -> StudyEncoder:
        """The encoder whose features lie beside colour statistics."""
        return next(iter(self.encoders.values()))

    @property
    def encoders_read(self) -> list[str]:
        """Names of the encoders that the model may read: the first, and those that its layers name.

        A saved model says itself which these are, but not before it is opened.
        """
        if FOLD_BUNDLE in self.folds:
            return list(self.encoders)
        model = self.config["model"]
        layers = [*model["layers"], *(name for one in model["candidates"] for name in one.get("layers", ()))]
        read = {self.first_encoder.name, *encoders_of(layers)}
        return [name for name in self.encoders if name in read]

    @property
    def checked_encoders(self) -> list[str]:
        """Names of the encoders that have a file of the user's to be checked."""
        return [name for name, encoder in self.encoders.items() if encoder.is_checked]

    @property
    def trained_folds(self) -> list[str]:
        """Names of the folds whose model is trained here."""
        return [fold.name for fold in self.folds.values() if fold.train]

    @property
    def tested_folds(self) -> list[str]:
        """Names of the folds with sections to score."""
        return [fold.name for fold in self.folds.values() if fold.test]

    @property
    def predicted(self) -> list[tuple[str, str]]:
        """Fold and sample of every prediction."""
        return [(fold.name, sample) for fold in self.folds.values() for sample in fold.predicted]

    @property
    def tested(self) -> list[tuple[str, str]]:
        """Fold and sample of every prediction that is scored."""
        return [(fold.name, sample) for fold in self.folds.values() for sample in fold.test]

    @property
    def first_tested(self) -> list[tuple[str, str]]:
        """Fold and sample of the first prediction that is scored, for each protocol."""
        first: dict[str, tuple[str, str]] = {}
        for fold, sample in self.tested:
            first.setdefault(self.protocol(fold, sample), (fold, sample))
        return list(first.values())

    @property
    def unit(self) -> dict:
        """Name and depth of the unit of expression."""
        return dict(vars(ExpressionUnit.of(self.config["expression"])))

    @property
    def model_settings(self) -> ModelSettings:
        """What training and baselines are told."""
        return ModelSettings(self.config["model"], self.config["seed"])

    def stain_reference(self, sample: str) -> str | None:
        """Return the stain fit that a section is normalised to; None for the published one or its own."""
        name = self.config["stain"]["reference"]
        if self.config["stain"]["method"] == "none" or self.is_stain_reference(sample):
            return None
        if FOLD_BUNDLE in self.folds:
            return BUNDLE_REFERENCE
        if name == PUBLISHED_STAIN:
            return None
        return f"results/stain/{name}.json" if name in self.sections else IMAGE_REFERENCE

    def is_stain_reference(self, sample: str) -> bool:
        """Tell whether the other sections are normalised to this one."""
        return sample == self.config["stain"]["reference"]

    @property
    def stain_image(self) -> str | None:
        """File of the image that is the stain reference; None where the reference is not an image."""
        name = self.config["stain"]["reference"]
        is_image = name != PUBLISHED_STAIN and name not in self.sections
        return self._expanded("stain", "reference") if is_image else None

    def model(self, fold: str) -> str:
        """Return the file of a fold's model."""
        if fold == FOLD_BUNDLE:
            return self._expanded("model", "use")
        return f"results/folds/{fold}/model.pt"

    @property
    def gene_list(self) -> str | None:
        """File of the gene list; None for other methods."""
        return self._expanded("genes", "list") if self.config["genes"]["method"] == "list" else None

    def _expanded(self, group: str, name: str) -> str:
        with about(file=self.config_file):
            return expand_path(self.config[group][name], f"{group}.{name}")

    def _check_references(self, schema: dict) -> None:
        """Refuse settings that name a file that does not exist, or a section that must not be used."""
        uses_bundle = FOLD_BUNDLE in self.folds
        check_stain_reference(
            self.config,
            self.sections,
            self.stain_image,
            rotates=self.scheme.rotates,
            uses_bundle=uses_bundle,
            config_file=self.config_file,
        )
        files = {
            "stain.reference": self.stain_image,
            "genes.list": self.gene_list,
            "model.use": self.model(FOLD_BUNDLE) if uses_bundle else None,
        } | {
            f"{encoder.place}.weights": None if encoder.fetches_weights else encoder.weights
            for encoder in self.encoders.values()
        }
        require_setting_files(files, schema, self.config_file)
