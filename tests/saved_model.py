"""A small saved model, for tests."""

from dataclasses import replace

import numpy as np
import torch

from ressat.encoders.registry import ENCODERS
from ressat.evaluation.panels import PANELS
from ressat.model.bundle import Bundle
from ressat.model.inputs import InputSettings
from ressat.model.kernel import KernelMap, LandmarkBlock, Landmarks
from ressat.model.network import Head, HeadSettings
from ressat.model.reliability import CORRELATIONS, SHARES, Reliability
from ressat.model.scaler import Scaler
from ressat.model.trained_model import TrainedHead, TrainedModel
from ressat.stain.methods.registry import METHODS
from ressat.stain.section_stain import SectionStain

GENES = [f"G{i}" for i in range(6)]


def stain_target(method: str = "macenko") -> str:
    """What features normalised to a method's published reference say."""
    published = METHODS.load(method) and METHODS.load(method).published
    return SectionStain("", method, published, published, "", 0, None).target


REQUIRES = {
    "weights_sha256": "ab" * 32,
    "tile_um": 112.0,
    "tile_px": 224,
    "stain": "macenko",
    "stain_target": stain_target(),
}


def small_kernel(width: int, rng: np.random.Generator) -> KernelMap:
    """Five landmarks, anywhere."""
    blocks = [
        LandmarkBlock(
            Scaler(rng.normal(size=width), rng.uniform(0.5, 2, size=width)),
            rng.normal(size=(5, width)).astype(np.float32),
            2.0 * width,
        )
        for _ in range(2)
    ]
    weights = rng.normal(size=(5, len(GENES)))
    return KernelMap(Landmarks(150.0, tuple(blocks)), weights, rng.normal(size=len(GENES)))


def small_bundle(hidden: int = 16, members: int = 2, requires: dict = REQUIRES) -> Bundle:
    """Untrained, for six genes."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    settings = HeadSettings(hidden=hidden, dropout=0.5, members=members)
    width = ENCODERS.load("resnet50").layers["layer3"]
    network = Head(width, len(GENES), settings).eval()
    scalers = [Scaler(rng.normal(size=n), rng.uniform(0.5, 2, size=n)) for n in (width, len(GENES))]
    head = TrainedHead(network, InputSettings(("layer3",), 150.0), *scalers, steps=7)
    trained = TrainedModel(head, small_kernel(width, rng), kernel_share=0.5, attended_share=0.25)
    ranks = {name: (rng.permutation(len(GENES)) + 1.0).tolist() for name in PANELS.values()}
    trial = {
        "layers": ["layer3"],
        "context": 1.5,
        **vars(settings),
        "steps": 7,
        "attended_share": 0.25,
        "held_back_pearson": 0.31,
    }
    provenance = {
        "fold": "all",
        "sections": ["A", "B"],
        "patients": {"A": "P1", "B": "P2"},
        "slides": {"A": "cd" * 32, "B": "ef" * 32},
        "held_back_in_turn": ["patient P1", "patient P2"],
        "chosen": trial,
        "tried": [trial, {**trial, "context": 0, "held_back_pearson": 0.3}],
        "encoder": "resnet50 random",
        "seed": 1,
        "config_hash": "12" * 32,
    }
    return Bundle(trained, settings, GENES, ranks, requires, provenance, reliability=small_reliability())


def small_reliability(**changes: object) -> Reliability:
    """What two tested patients say of the genes."""
    number = len(GENES)
    genes = {name: [0.5] * number for name in (*CORRELATIONS, *SHARES)}
    genes |= {"n_patients": [2] * number, "verdict": ["usable"] * number, "reason": [""] * number}
    by_patient = {name: [0.4] * number for name in ("P1", "P2")}
    known = Reliability("tested", "holdout, unseen patients", "combined", ["P1", "P2"], by_patient, genes)
    return replace(known, **changes)
