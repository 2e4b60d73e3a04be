"""A study as the rules see it: settings, sections and folds, checked before any job runs."""

from dataclasses import dataclass, field
from pathlib import Path

from ressat.base import keys
from ressat.base.errors import InputError
from ressat.workflow.folds import Fold, make_folds
from ressat.workflow.settings import check_schema, expand_path, load_schema
from ressat.workflow.sheet import Section, read_sheet
from ressat.workflow.study_checks import (
    PUBLISHED_STAIN,
    check_stain_reference,
    refuse_shared_counts,
    require_setting_files,
)
from ressat.workflow.study_files import find_files

DOWNLOADED_WEIGHTS = ("IMAGENET1K_V1", "IMAGENET1K_V2")
RANDOM_WEIGHTS = "random"
IMAGE_REFERENCE, BUNDLE_REFERENCE = "results/stain_reference.json", "results/bundle_stain.json"


@dataclass(frozen=True)
class Study:
    """Everything that is known of a study before a job runs.

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
        Format and files of the counts of each labelled section.
    config_file
        The study's own config, for messages.
    """

    config: dict
    sections: dict[str, Section]
    folds: dict[str, Fold]
    converted: frozenset[str] = frozenset()
    counts: dict[str, tuple[str, dict[str, Path]]] = field(default_factory=dict)
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
            Of InputErrors: one for each of several sections whose files are missing or of no known kind.
        """
        schema = load_schema(Path(schemas) / "config.schema.json")
        check_schema(config, schema, config_file)
        sheet = expand_path(config["samples"], "samples", file=config_file)
        listed = read_sheet(sheet, load_schema(Path(schemas) / "samples.schema.json"))
        sections = {name: section for name, section in listed.items() if section.include}
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
        for name in simulated:
            if name not in listed:
                raise InputError(
                    f"simulate.sections names {name}, which is not in the sheet",
                    expected=f"a sample of {sheet}",
                    action="add a row for it, or remove it",
                    file=config_file,
                )
        converted, counts = find_files(sections, simulated)
        refuse_shared_counts(sections, sheet)
        study = cls(config, sections, folds, converted, counts, config_file)
        study._check_references(schema)
        return study

    def slide(self, sample: str) -> str:
        """Return the file of a section's slide that OpenSlide reads."""
        if sample in self.converted:
            return f"results/slides/{sample}.tiff"
        return str(self.sections[sample].slide)

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
        files = self.counts[sample][1].values() if sample in self.counts else ()
        return [path for named in files for path in (named if isinstance(named, list) else [named])]

    @property
    def counts_reference(self) -> str | None:
        """The section whose gene names the others must share; None without counts."""
        return next(iter(self.counts), None)

    def is_learnt_from(self, sample: str) -> bool:
        """Tell whether any model learns from a section."""
        return any(sample in fold.train for fold in self.folds.values())

    def sides(self, fold: str) -> dict[str, str]:
        """Return the side of each labelled section of a fold."""
        chosen = self.folds[fold]
        return dict.fromkeys(chosen.train, keys.TRAIN) | dict.fromkeys(chosen.test, keys.TEST)

    @property
    def fold_rows(self) -> list[dict[str, str]]:
        """Rows of results/folds/folds.tsv: fold, sample, patient, side."""
        return [
            {"fold": fold.name, "sample": sample, "patient": self.sections[sample].patient, "side": side}
            for fold in self.folds.values()
            for side in (keys.TRAIN, keys.TEST, keys.PREDICT)
            for sample in getattr(fold, side)
        ]

    def protocol(self, fold: str, sample: str) -> str:
        """Say what the scores of a prediction stand for; it is written beside every score."""
        if sample not in self.folds[fold].test:
            return keys.NOT_SCORED
        learnt = set(self.patients(self.folds[fold].train).values())
        scheme = self.config["evaluation"]["scheme"]
        # Leaving out sections claims nothing of patients, whatever the sheet says of them.
        within = scheme == keys.LEAVE_ONE_SECTION_OUT or self.sections[sample].patient in learnt
        return f"{scheme.replace('_', ' ')}, {keys.WITHIN_PATIENT if within else keys.UNSEEN_PATIENT}"

    @property
    def allows_within_patient(self) -> bool:
        """Whether a patient may stand on both sides of a fold."""
        evaluation = self.config["evaluation"]
        return evaluation["within_patient"] or evaluation["scheme"] == keys.LEAVE_ONE_SECTION_OUT

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
    def candidates(self) -> list[tuple[list[str], float, dict[str, float]]]:
        """Layers, context and shape of the head of every model that is tried; the config's own first."""
        model = self.config["model"]
        tried = [model | changes for changes in ({}, *model["candidates"])]
        shape = ("hidden", "dropout", "members")
        return [(one["layers"], one["context"], {name: one[name] for name in shape}) for one in tried]

    @property
    def training(self) -> dict[str, float]:
        """Settings of the optimiser."""
        names = ("learning_rate", "weight_decay", "max_steps", "patience", "spots_per_step")
        return {name: self.config["model"][name] for name in names}

    @property
    def weights(self) -> str | None:
        """File of the ResNet50 weights; None for random weights."""
        name = self.config["features"]["weights"]
        if name == RANDOM_WEIGHTS:
            return None
        if name in DOWNLOADED_WEIGHTS:
            return f"resources/weights/resnet50_{name}.pth"
        return self._expanded("features", "weights")

    def stain_reference(self, sample: str) -> str | None:
        """Return the file of the fit that a section is normalised to; None for the published, or itself."""
        name = self.config["stain"]["reference"]
        if self.config["stain"]["method"] == "none" or self.is_stain_reference(sample):
            return None
        if keys.FOLD_BUNDLE in self.folds:
            return BUNDLE_REFERENCE
        if name == PUBLISHED_STAIN:
            return None
        return f"results/stain/{name}.json" if name in self.sections else IMAGE_REFERENCE

    def is_stain_reference(self, sample: str) -> bool:
        """Tell whether the other sections are normalised to this one."""
        return sample == self.config["stain"]["reference"]

    @property
    def stain_image(self) -> str | None:
        """File of the image that is the stain reference; None where the reference is no image."""
        name = self.config["stain"]["reference"]
        if name == PUBLISHED_STAIN or name in self.sections:
            return None
        return self._expanded("stain", "reference")

    def model(self, fold: str) -> str:
        """Return the file of a fold's model."""
        if fold == keys.FOLD_BUNDLE:
            return self._expanded("model", "use")
        return f"results/folds/{fold}/model.pt"

    @property
    def gene_list(self) -> str | None:
        """File of the gene list; None for other methods."""
        return self._expanded("genes", "list") if self.config["genes"]["method"] == "list" else None

    def _expanded(self, group: str, name: str) -> str:
        return expand_path(self.config[group][name], f"{group}.{name}", file=self.config_file)

    def _check_references(self, schema: dict) -> None:
        """Refuse settings that name a file that is not there, or a section that must not be used."""
        uses_bundle = keys.FOLD_BUNDLE in self.folds
        check_stain_reference(
            self.config,
            self.sections,
            self.stain_image,
            uses_bundle=uses_bundle,
            config_file=self.config_file,
        )
        files = {
            ("stain", "reference"): self.stain_image,
            ("genes", "list"): self.gene_list,
            ("model", "use"): self.model(keys.FOLD_BUNDLE) if uses_bundle else None,
        }
        if self.config["features"]["weights"] not in DOWNLOADED_WEIGHTS:
            files["features", "weights"] = self.weights
        require_setting_files(files, schema, self.config_file)
