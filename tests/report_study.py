"""Result files of a study, small and made up, and the report that is rendered from them."""

import contextlib
import json
import runpy
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
from PIL import Image

from ressat.base.files import FORMAT_VERSION, UNS
from ressat.base.layers import EXPRESSION_UNIT
from ressat.base.roles import PREDICT, TEST
from ressat.base.tables import write_table
from ressat.evaluation.finest_scale import usable_scales, with_finest_scale
from ressat.evaluation.interaction import describe_interaction
from ressat.evaluation.panels import PANELS
from ressat.evaluation.scales import score_scales
from ressat.evaluation.scores import score_section
from ressat.evaluation.summary import summarise_patients, summarise_sections
from ressat.evaluation.usable_genes import usable_genes
from ressat.slides.scale import Scale
from ressat.stain.methods.registry import METHODS
from ressat.stain.section_stain import SectionStain
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import TileGeometry
from ressat.trust.novelty import largest
from ressat.trust.slide import describe, relation_to_error, squared_errors

GENES = ("ERBB2", "NA", "CD74", "KRT19")
SETTINGS = {
    "samples": "samples.tsv",
    "seed": 1,
    "expression": {"unit": "log1p_cp10k", "depth": None},
    "features": {"encoder": "resnet50", "weights": "/home/jane/weights/resnet50.pth", "precision": "auto"},
    "model": {
        "use": None, "layers": ["layer3", "layer4"], "headline": "attended", "learning_rate": 0.0007,
        "weight_decay": 0.1, "spots_per_step": 512, "members": 5, "hidden": 256, "dropout": 0.7,
        "context": 1.5, "kernel": [0.5, 0, 1], "components": 100,
    },
    "tiling": {"grid_um": 100},
    "stain": {"method": "macenko", "max_pixels": 200000},
    "genes": {"method": "hvg", "number": 250},
    "evaluation": {"scheme": "holdout", "min_ceiling": 0.3},
}  # fmt: skip
WORDS = {
    "counts": [("outputs of Space Ranger", "10x Genomics.")],
    "encoders": {
        "resnet50": {
            "title": "ResNet50",
            "network": "resnet50",
            "words": ("the mean activations of layers 3 and 4 of a frozen ResNet50", "He et al. CVPR 2016."),
            "weights": None,
            "file": "resnet50.pth",
            "source": None,
            "is_random": False,
        }
    },
    "compared": {},
    "scheme": "on sections set aside as test sections",
}


class Study:
    """A study's result files, small and made up, and the page rendered from them."""

    def __init__(self, folder, name="breast", genes=GENES, protocol="holdout, unseen patients"):
        self.folder, self.name, self.genes, self.protocol = folder, name, list(genes), protocol
        self.encoder, self.settings, self.missing = "resnet50", SETTINGS, []
        self.words, self.comparison = WORDS, None
        self.sections, self.scores, self.scale_scores = {}, [], []
        self.files = {name: [] for name in ("tiles", "overlays", "stains", "previews", "expression")}
        self.median_counts, self.without_ceiling, self.signatures = {}, [], []
        self.predictions, self.histories, self.folds, self.labelled = [], [], [], []
        self.interaction_spots, self.interaction_genes, self.interaction_summaries = [], [], []
        self.novelty, self.novelty_spots = [], []
        self.rng = np.random.default_rng(3)

    def path(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(path)

    def section(self, sample, role, patient="P1", fallback=None, spots=30):
        """Write what every section has, and counts where it is labelled."""
        self.sections[sample] = {"patient": patient, "role": role}
        lowres = self.rng.integers(120, 240, (90, 120, 3), dtype=np.uint8)
        edge = max(6, int(np.ceil(np.sqrt(spots))))
        x, y = np.meshgrid(np.arange(edge), np.arange(edge))
        self.coords = (np.column_stack([x.ravel(), y.ravel()])[:spots] * 150 + 200).astype(np.int32)
        self.barcodes = np.array([f"b{i}" for i in range(len(self.coords))])
        tiles = Tiles(
            sample, self.coords, self.barcodes, np.full(len(self.coords), 0.8, np.float32), lowres, 10.0,
            Scale(0.5, "slide tags"), TileGeometry(112.0, 224, 0, 224, 1.0), 110.0, 2, "ab" * 32,
        )  # fmt: skip
        tiles.write(self.path(f"tiles/{sample}.h5"))
        for name in ("tiles", "stain"):
            Image.fromarray(lowres).save(self.path(f"{name}/{sample}.png"))
        stains = METHODS.load("macenko").published
        source = None if fallback else stains
        fitted = SectionStain(sample, "macenko", source, stains, "published", 5000, fallback)
        fitted.write(self.path(f"stain/{sample}.json"))
        for name, pattern in (
            ("tiles", "tiles/{}.h5"), ("overlays", "tiles/{}.png"),
            ("stains", "stain/{}.json"), ("previews", "stain/{}.png"),
        ):  # fmt: skip
            self.files[name].append(self.path(pattern.format(sample)))
        if role != PREDICT:
            counts = anndata.AnnData(np.ones((len(self.coords), 7), np.float32))
            counts.uns[UNS] = {
                "version": FORMAT_VERSION,
                "spots_found": 34, "spots_kept": 30, "median_counts": self._median(sample),
                "median_genes": 567.0,
                "spots_left_out": {"outside tissue": 3, "zero counts": 1, "without position": 0},
            }  # fmt: skip
            counts.write_h5ad(self.path(f"expression/{sample}.h5ad"))
            self.files["expression"].append(self.path(f"expression/{sample}.h5ad"))
            self.labelled.append(sample)

    def predict(self, fold, sample, unmeasured=(), flat=(), following=()):
        """Write a section's predictions, and score them where it is tested.

        The maps of genes that are ``following`` depth, measured and predicted, have nothing else in common.
        """
        n, tested = len(self.coords), self.sections[sample]["role"] == TEST
        observed = self.rng.gamma(2.0, size=(n, len(self.genes))).astype(np.float32)
        noise = np.arange(len(self.genes)) + 0.2
        direct = observed + self.rng.normal(size=observed.shape).astype(np.float32) * noise
        attended = observed + self.rng.normal(size=observed.shape).astype(np.float32) * noise / 3
        observed[:, [self.genes.index(gene) for gene in unmeasured]] = np.nan
        depth = 8 + 0.4 * self.rng.normal(size=n)
        for gene in following:
            for table, noise in ((direct, 0.2), (attended, 0.2), (observed, 0.1)):
                table[:, self.genes.index(gene)] = depth + noise * self.rng.normal(size=n)
        for table in (direct, attended, observed):
            table[:, [self.genes.index(gene) for gene in flat]] = 1.0
        adata = anndata.AnnData(attended.astype(np.float32))
        adata.obs_names, adata.var_names = self.barcodes, self.genes
        for rank in PANELS.values():
            adata.var[rank] = np.arange(1.0, len(self.genes) + 1)
        adata.var["training_mean"], adata.var["training_sd"] = 2.0, 1.0
        adata.layers["direct"], adata.layers["attended"] = direct.astype(np.float32), adata.X.copy()
        if tested:
            adata.layers["observed"] = observed
            adata.obs["n_counts"] = np.exp(depth)
        adata.obsm["spatial"] = self.coords.astype(float)
        adata.uns["spatial"] = {
            sample: {
                "images": {"hires": np.full((90, 120, 3), 200, np.uint8)},
                "scalefactors": {"tissue_hires_scalef": 0.1, "spot_diameter_fullres": 110.0},
            }
        }
        adata.uns[UNS] = {
            "headline": "attended", "unit": EXPRESSION_UNIT, "fold": fold, "section": sample,
            "patient": self.sections[sample]["patient"], "protocol": self.protocol,
            "encoder": self.encoder, "model_sha256": "1f" * 32, "weights_sha256": "2e" * 32,
            "config_hash": "3d" * 32, "trained_on": ["T1", "T2"], "mpp": 0.5, "stain": "macenko",
            "stain_fallback": "", "version": FORMAT_VERSION,
        }  # fmt: skip
        adata.write_h5ad(self.path(f"predictions/{fold}/{sample}.h5ad"))
        self.predictions.append(self.path(f"predictions/{fold}/{sample}.h5ad"))
        if fold != "bundle":
            self._novel(adata, fold, sample)
        if tested:
            baselines = anndata.AnnData(obs=adata.obs, var=adata.var)
            baselines.layers["training_mean"] = np.ones(adata.shape, np.float32)
            estimate = (depth + 0.2 * self.rng.normal(size=n)).astype(np.float32)
            baselines.layers["depth_map"] = np.tile(estimate[:, None], adata.n_vars)
            baselines.layers["tuned_ridge"] = direct + self.rng.normal(size=direct.shape) * 2
            ceilings = {"ceiling": 0.9, "ceiling_low": 0.8}
            ceilings |= {"ceiling_depth_free": 0.85, "ceiling_low_depth_free": 0.7}
            ceiling = pd.DataFrame({"gene": self.genes, **ceilings})
            ceiling.loc[ceiling["gene"].isin(self.without_ceiling), list(ceilings)] = np.nan
            self.scores.append(score_section(adata, baselines, ceiling, panel_size=2))
            self.scale_scores.append(score_scales(adata, baselines))
            self._interact(adata, fold, sample)

    def _novel(self, adata, fold, sample):
        """Write what measure_novelty writes."""
        rng = np.random.default_rng(len(self.novelty))
        parts = {name: rng.gamma(4.0, 0.14, adata.n_obs) for name in ("features", "colours")}
        parts["stain"] = np.full(adata.n_obs, 0.3)
        novelty, errors = largest(parts), squared_errors(adata)
        summary = {
            "section": sample, "fold": fold, **describe(parts, {"T1": 0.03, "T2": 0.07}),
            **relation_to_error(novelty, errors, adata.obsm["spatial"]), "layers": ["layer3"],
            "weights_sha256": "2e" * 32, "version": FORMAT_VERSION,
        }  # fmt: skip
        self.novelty_spots.append(self.path(f"novelty/{fold}/{sample}.tsv"))
        table = {"spot": self.barcodes, "novelty": novelty, **parts, "squared_error": errors}
        write_table(pd.DataFrame(table), self.novelty_spots[-1])
        self.novelty.append(self.path(f"novelty/{fold}/{sample}.json"))
        with open(self.novelty[-1], "w") as file:
            json.dump(summary, file)

    def _interact(self, adata, fold, sample):
        """Write what cluster_spots writes."""
        spots, genes, summary = describe_interaction(adata, 3, 1)
        self.interaction_spots.append(self.path(f"interaction/{fold}/{sample}.tsv"))
        write_table(spots, self.interaction_spots[-1])
        self.interaction_genes.append(self.path(f"interaction/{fold}/{sample}.genes.tsv"))
        write_table(genes, self.interaction_genes[-1])
        summary = {"section": sample, "fold": fold, **summary, "version": FORMAT_VERSION}
        self.interaction_summaries.append(self.path(f"interaction/{fold}/{sample}.json"))
        with open(self.interaction_summaries[-1], "w") as file:
            json.dump(summary, file)

    def tables(self):
        """The tables of the evaluation by name."""
        per_gene = pd.concat(self.scores, ignore_index=True)
        scales = usable_scales(pd.concat(self.scale_scores, ignore_index=True))
        per_section = summarise_sections(per_gene, dict.fromkeys(per_gene["fold"].unique(), self._fold()))
        return {
            "per_gene": per_gene,
            "per_section": per_section,
            "summary": summarise_patients(per_section, {(self.protocol, "ressat", "attended"): 0.4321}),
            "usable_genes": with_finest_scale(usable_genes(per_gene, "attended", 0.3), scales),
            "scales": scales,
        }

    def whole(self, name):
        """The rows of one of them that are about all genes and all patients."""
        table = self.tables()[name]
        table = table[table["panel"] == "all"]
        return table[table["level"] == "study"] if "level" in table else table

    def train(self, fold):
        """Write a history whose best step is 80."""
        steps = np.arange(20, 160, 20)
        losses = (steps / 20 - 4.0) ** 2 / 20 + 0.7
        selection = pd.DataFrame({"step": steps, "stage": "selection", "held_back_pearson": 1 - losses})
        for column in ("learnt_direct", "learnt_attended", "held_back_direct", "held_back_attended"):
            selection[column] = losses
        final = selection[selection["step"] <= 80].assign(stage="final")
        final[["held_back_direct", "held_back_attended", "held_back_pearson"]] = np.nan
        path = self.path(f"folds/{fold}/history.tsv")
        write_table(pd.concat([selection, final]), path)
        self.histories.append(path)
        self.folds.append(fold)

    def _median(self, sample):
        """Median counts of a section's spots."""
        return self.median_counts.get(sample, 1234.0)

    def _fold(self):
        """What check_leakage writes of a fold."""
        rows = [
            (name, self.sections[name]["patient"], self.sections[name]["role"], "ab" * 32, "cd" * 32,
             self._median(name))
            for name in self.labelled
        ]  # fmt: skip
        columns = ["section", "patient", "side", "slide_sha256", "counts_sha256", "median_counts"]
        return pd.DataFrame(rows, columns=columns)

    def _checked(self):
        for fold in self.folds:
            write_table(self._fold(), self.path(f"folds/{fold}/sections.tsv"))
        return [self.path(f"folds/{fold}/sections.tsv") for fold in self.folds]

    def page(self, repository, genes=2, always=()):
        """Run the rule's script, and return the page, which is ``report.html`` in the study's folder."""
        tables = {name: [] for name in ("per_gene", "per_section", "summary", "usable_genes", "scales")}
        if self.scores:
            for name, table in self.tables().items():
                tables[name] = self.path(f"evaluation/{name}.tsv")
                write_table(table, tables[name])
        encoders = []
        if self.comparison is not None:
            encoders = self.path("evaluation/encoders.tsv")
            write_table(self.comparison, encoders)
        job = SimpleNamespace(
            input=SimpleNamespace(
                **tables, encoders=encoders, **self.files,
                predictions=self.predictions, histories=self.histories,
                interaction_spots=self.interaction_spots, interaction_genes=self.interaction_genes,
                interaction_summaries=self.interaction_summaries, checked=self._checked(),
                signatures=self.signatures,
                novelty=self.novelty, novelty_spots=self.novelty_spots,
            ),
            output=SimpleNamespace(report=self.path("report.html")),
            log=[self.path("render_report.log")],
            params=SimpleNamespace(
                sections=self.sections, labelled=self.labelled, folds=self.folds,
                words=self.words, genes=genes,
                always=json.dumps(list(always)), settings=json.dumps(self.settings),
                missing=json.dumps(self.missing),
            ),
        )  # fmt: skip
        # A study is called as its folder, in which Snakemake runs the script.
        (self.folder / self.name).mkdir(exist_ok=True)
        with contextlib.chdir(self.folder / self.name):
            runpy.run_path(
                str(repository / "workflow_scripts" / "render_report.py"), init_globals={"snakemake": job}
            )
        return (self.folder / "report.html").read_text(encoding="utf-8")


def whole_study(folder, genes=GENES, following=(), without_ceiling=()):
    """Two training sections, two tested ones and one without counts."""
    study = Study(folder, genes=genes)
    study.without_ceiling = list(without_ceiling)
    study.median_counts = {"X1": 617.0, "X2": 2468.0}
    for sample, role, patient in (
        ("T1", "train", "P1"), ("T2", "train", "P2"), ("X1", "test", "P3"), ("X2", "test", "P4"),
        ("H1", "predict", "P5"),
    ):  # fmt: skip
        study.section(sample, role, patient)
    for fold, sample in (("holdout", "X1"), ("holdout", "X2"), ("all", "H1")):
        study.predict(fold, sample, following=following)
    for fold in ("holdout", "all"):
        study.train(fold)
    return study
