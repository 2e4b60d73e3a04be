"""A saved model may come from anywhere: every entry of it is looked at before anything is done with it."""

import copy
import json
import resource
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from saved_model import REQUIRES, small_bundle, stain_target

from ressat.base.errors import InputError
from ressat.counts.expression_unit import LOG1P_CP10K
from ressat.model.bundle import Bundle
from ressat.model.bundle_check import check_content
from ressat.model.reliability import CORRELATIONS, SHARES

NAN, INF = float("nan"), float("inf")
# What no entry of a model is, whatever it should be; nan is left to the tests of ranks.
NEVER = {
    "nothing": None,
    "truth": True,
    "infinite": INF,
    "negative": -2,
    "huge": 10**30,
    "endless": 1e300,
    "complex": 1j,
    "bytes": b"abc",
    "no list": [],
    "a list of another kind": [None],
    "no dictionary": {},
    "a dictionary of another kind": {"<script>": 1},
    "no text": "",
    "blank text": "   ",
    "markup": "<script>alert(1)</script>",
    "closing markup": "x>y",
    "a line end": "two\nlines",
    "a control character": "bell\x07",
    "an invisible character": "zero\u200bwidth",
    "long text": "x" * 1_000_000,
    "a tensor": torch.zeros(3),
}
NAMES_OF_PATIENTS = [
    ("provenance", "patients"),
    ("provenance", "held_back_in_turn"),
    ("reliability", "patients"),
]
REASON = ("reliability", "genes", "reason")
TENSORS = {
    "nan": lambda tensor: filled(tensor, NAN),
    "infinite": lambda tensor: filled(tensor, -INF),
    "beyond all sense": lambda tensor: filled(tensor, 1e30),
    "one more": lambda tensor: torch.cat([tensor, tensor[:1]]),
    "one fewer": lambda tensor: tensor[1:].clone(),
    "one more dimension": lambda tensor: tensor[None].clone(),
    "no dimension": lambda tensor: tensor.flatten()[0].clone(),
    "empty": lambda tensor: tensor[:0].clone(),
    "half precision": lambda tensor: tensor.half(),
    "whole numbers": lambda tensor: tensor.long(),
    "complex": lambda tensor: tensor.to(torch.complex64),
    "a view": lambda tensor: torch.cat([tensor, tensor])[: len(tensor)],
    "one number for all": lambda tensor: tensor.flatten()[:1].expand(tensor.numel()).view(tensor.shape),
    "sparse": lambda tensor: tensor.to_sparse(),
    "no numbers": lambda tensor: torch.empty_like(tensor, device="meta"),
    "a parameter": lambda tensor: torch.nn.Parameter(tensor),
    "with a gradient": lambda tensor: tensor.clone().requires_grad_(),
}


def target_with(number: object) -> str:
    """A stain reference with another number in it."""
    target = json.loads(stain_target())
    target["reference"]["max_concentrations"][1] = number
    return json.dumps(target, sort_keys=True)


def filled(tensor: torch.Tensor, value: float) -> torch.Tensor:
    """The tensor with one number replaced, the last."""
    changed = tensor.clone()
    changed.view(-1)[-1] = value
    return changed


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "model.pt"
    small_bundle(hidden=2).write(path)
    return path


@pytest.fixture(scope="module")
def content(written) -> dict:
    return torch.load(written, weights_only=True)


def paths(content: object, start: tuple = ()) -> Iterator[tuple]:
    """Keys of every entry, those of dictionaries and the first and last of lists."""
    keys = (
        list(content)
        if isinstance(content, dict)
        else sorted({0, len(content) - 1})
        if isinstance(content, list)
        else []
    )
    for key in keys:
        yield (*start, key)
        yield from paths(content[key], (*start, key))


def is_name(path: tuple) -> bool:
    """Whether an entry is a patient's name, or text with such names."""
    return (path[:2] in NAMES_OF_PATIENTS and len(path) == 3) or path == ("reliability", "protocol")


def may_be_undefined(path: tuple) -> bool:
    if path[:2] == ("reliability", "by_patient"):
        return len(path) == 4
    return (
        path[:2] == ("reliability", "genes")
        and path[2:3] != ()
        and path[2] in (*CORRELATIONS, *SHARES)
        and len(path) == 4
    )


def entry(content: dict, path: tuple) -> object:
    for key in path:
        content = content[key]
    return content


def changed(content: dict, path: tuple, value: object) -> dict:
    """A copy along the path alone: tensors are shared."""
    result = copy.copy(content)
    if len(path) == 1:
        result[path[0]] = value
    else:
        result[path[0]] = changed(content[path[0]], path[1:], value)
    return result


def refused(content: dict) -> InputError:
    with pytest.raises(InputError) as caught:
        check_content(content)
    assert caught.value.expected
    assert len(str(caught.value)) < 1500
    assert str(caught.value).isprintable()
    return caught.value


def test_a_model_that_was_written_is_accepted(content):
    check_content(content)


@pytest.mark.parametrize("hidden", [0, 3])
@pytest.mark.parametrize("method", ["macenko", "reinhard", "none"])
def test_models_of_every_shape_and_stain_are_accepted(tmp_path, hidden, method):
    requires = {**REQUIRES, "stain": method, "stain_target": stain_target(method)}
    small_bundle(hidden=hidden, members=3, requires=requires).write(tmp_path / "model.pt")
    assert Bundle.read(tmp_path / "model.pt").requires == requires


@pytest.mark.parametrize("what", NEVER)
def test_no_entry_of_another_kind_is_accepted(content, what):
    for path in paths(content):
        if what == "an invisible character" and is_name(path):
            continue  # some scripts need it
        if what == "no text" and path[:3] == REASON and len(path) == 4:
            continue  # a usable gene needs no reason
        if path in (("kernel",), ("reliability",), ("unit", "depth")) and NEVER[what] is None:
            continue  # a model without one, and a unit without one
        refused(changed(content, path, NEVER[what]))


@pytest.mark.parametrize("patient", ["O'Neil", "P1 & P2", "P\u00a01", "क्\u200dष", "+1", "P" * 100])
def test_patients_are_called_as_in_the_sheet(tmp_path, patient):
    # Refused here, they would cost a whole training.
    bundle = small_bundle(hidden=2)
    bundle.provenance["patients"]["A"] = patient
    bundle.provenance["held_back_in_turn"][0] = f"patient {patient}"
    bundle.write(tmp_path / "model.pt")
    assert Bundle.read(tmp_path / "model.pt").provenance["patients"]["A"] == patient


def test_a_model_saved_before_there_was_a_kernel_predicts_by_its_head(content, tmp_path):
    older = {name: entry for name, entry in content.items() if name != "kernel"}
    torch.save(older, tmp_path / "model.pt")
    trained = Bundle.read(tmp_path / "model.pt").trained
    features = np.random.default_rng(1).normal(size=(7, 1024)).astype(np.float32)
    coords = 100.0 * np.arange(14).reshape(7, 2)
    assert (trained.kernel, trained.kernel_share) == (None, 0)
    np.testing.assert_array_equal(trained.predict(features, coords), trained.head.predict(features, coords))


def test_a_model_saved_before_there_were_other_units_is_in_log1p_cp10k(content, tmp_path):
    torch.save({name: entry for name, entry in content.items() if name != "unit"}, tmp_path / "model.pt")
    assert Bundle.read(tmp_path / "model.pt").unit == LOG1P_CP10K


def test_a_unit_has_a_depth_where_it_is_thinned(content):
    for name, depth in (("log1p_cp10k", 1000), ("thinned", None)):
        unit = {"name": name, "depth": depth}
        assert "the unit of expression" in str(refused(changed(content, ("unit",), unit)))
    for path, value in ((("unit", "depth"), 0.5), (("unit", "depth"), 0), (("unit", "name"), "cp10k")):
        assert ".".join(path) in str(refused(changed(content, path, value)))


def test_the_kernel_has_a_block_for_the_context_where_there_is_one(content):
    for context_um, blocks in ((0.0, 2), (150.0, 1)):
        other = copy.deepcopy(content)
        other["inputs"]["context_um"] = context_um
        other["kernel"]["blocks"] = other["kernel"]["blocks"][:blocks]
        assert "kernel.blocks" in str(refused(other))


def test_no_entry_may_be_missing_or_added(content):
    for path in paths(content):
        if isinstance(path[-1], str):
            lacking = copy.deepcopy(content)
            del entry(lacking, path[:-1])[path[-1]]
            refused(lacking)
            assert "unknown" in str(refused(changed(content, (*path[:-1], "added"), 1)))


def test_nan_stands_for_undefined_ranks_and_scores_alone(content):
    for path in paths(content):
        if path[0] == "ranks" and len(path) == 3:
            ranks = entry(content, path[:-1])
            ordered = sorted(range(len(ranks)), key=ranks.__getitem__)
            check_content(changed(content, (*path[:-1], ordered[-1]), NAN))
        elif may_be_undefined(path):
            check_content(changed(content, path, NAN))
        else:
            refused(changed(content, path, NAN))


@pytest.mark.parametrize("kind", TENSORS)
def test_no_tensor_of_another_kind_is_accepted(content, kind):
    for path in paths(content):
        tensor = entry(content, path)
        if isinstance(tensor, torch.Tensor):
            assert str(path[-1]) in str(refused(changed(content, path, TENSORS[kind](tensor))))


@pytest.mark.parametrize("sd", [0.0, -1.0, 1e-12])
@pytest.mark.parametrize("of", ["features", "targets"])
def test_deviations_are_positive(content, of, sd):
    path = ("scalers", of, "sd")
    error = refused(changed(content, path, filled(entry(content, path), sd)))
    assert f"scalers.{of}.sd has a standard deviation of {sd:g}" in str(error)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("genes", 1), "G0", "genes has 'G0' twice"),
        (("provenance", "sections", 1), "A", "sections has 'A' twice"),
        (("inputs", "layers"), ["layer3", "layer3"], "layers has 'layer3' twice"),
        (("inputs", "layers"), ["layer9"], "expected one of layer3, layer4"),
        (("inputs", "layers"), ["layer4"], "scalers.features.mean is"),
        (("ranks", "hvg_rank"), [1.0, 2.0, 3.0, 4.0, 5.0, 5.0], "ranks.hvg_rank are not the places"),
        (("ranks", "svg_rank"), [2.0, 3.0, 4.0, 5.0, 6.0, NAN], "ranks.svg_rank are not the places"),
        (("ranks", "heg_rank"), [1.0, 2.0, 3.0], "ranks.heg_rank is a list of 3"),
        (("settings", "members"), 3, "head.members.2.1.weight is missing"),
        (("settings", "members"), 1, "unknown entry 'members.1"),
        (("settings", "members"), 10**7, "settings.members is 10000000"),
        (("settings", "hidden"), 10**9, "settings.hidden is 1000000000"),
        (("settings", "hidden"), 999_999, "expected a tensor of 999999 x 1024, float32"),
        (("settings", "dropout"), 1.0, "settings.dropout is 1.0"),
        (("steps",), 8, "provenance.chosen.steps is 7, and the model has 8"),
        (("attended_share",), 1.5, "attended_share is 1.5"),
        (("provenance", "encoder"), "resnet51", "provenance.encoder is 'resnet51'"),
        (("provenance", "patients"), {"A": "P1"}, "provenance.patients.B is missing"),
        (("requires", "tile_um"), 0.5, "requires.tile_um is 0.5"),
        (("requires", "tile_px"), 224.5, "requires.tile_px is 224.5"),
        (("requires", "stain"), "vahadane", "expected one of macenko, reinhard, none"),
        (("requires", "stain"), "reinhard", "requires.stain_target is that of macenko"),
        (("requires", "stain_target"), stain_target("none"), "requires.stain_target is that of none"),
        (("requires", "stain_target"), "published", "requires.stain_target: no stain reference"),
        (("requires", "stain_target"), target_with(10**400), "requires.stain_target: its stains are not"),
        (("requires", "stain_target"), stain_target().replace(" ", ""), "in another form"),
        (("requires", "stain_target"), "[" * 100_000, "no stain reference"),
        (("requires", "weights_sha256"), "ab" * 31, "expected 64 hexadecimal digits"),
    ],
)
def test_the_message_says_what_was_found_and_expected(content, path, value, said):
    assert said in str(refused(changed(content, path, value)))


def test_a_model_on_an_encoder_of_ones_own_is_as_wide_as_its_scaler(content):
    """What layers that encoder has, nobody knows here; features of another one are refused by their hash."""
    own = changed(content, ("provenance", "encoder"), "shades.py")
    for path in (("inputs", "layers"), ("provenance", "chosen", "layers")):
        own = changed(own, path, ["grid"])
    check_content(own)
    assert "scalers.features.mean is" in str(refused(changed(own, ("scalers",), None)))
    features = {name: tensor[1:].clone() for name, tensor in own["scalers"]["features"].items()}
    assert "head.members.0.1.weight is" in str(refused(changed(own, ("scalers", "features"), features)))
    for name in ("shades.py random", "../shades.py", "shades"):
        assert "provenance.encoder is" in str(refused(changed(own, ("provenance", "encoder"), name)))


@pytest.mark.parametrize(
    ("method", "number"),
    [
        ("macenko", NAN), ("macenko", INF), ("macenko", 0.0), ("macenko", -1.0), ("macenko", 1e9),
        ("reinhard", NAN), ("reinhard", -INF), ("reinhard", 0.0), ("reinhard", -1.0), ("reinhard", 1e9),
    ],
)  # fmt: skip
def test_a_stain_reference_that_would_break_colours_is_refused(content, method, number):
    known = stain_target(method)
    last = {"macenko": "0.5581", "reinhard": "0.0286032"}[method]
    assert last in known
    shown = {NAN: "NaN", INF: "Infinity", -INF: "-Infinity"}.get(number, str(number))
    broken = changed(content, ("requires", "stain"), method)
    broken["requires"]["stain_target"] = known.replace(last, "NaN" if np.isnan(number) else shown)
    assert "requires.stain_target" in str(refused(broken))


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (99, "a saved model of version 99; expected version 3; train it again"),
        (2, "a saved model of version 2; expected version 3; train it again"),
        ("3", "a saved model whose version is '3', of type str; expected the whole number 3"),
        (3.0, "a saved model whose version is 3.0, of type float; expected the whole number 3"),
        (True, "a saved model whose version is True, of type bool; expected the whole number 3"),
        (None, "a saved model whose version is None, of type NoneType; expected the whole number 3"),
    ],
)
def test_the_version_is_a_whole_number(content, version, said):
    assert said in str(refused({**content, "version": version}))


def rewritten(source: Path, target: Path, *, compressed: bool = False, **replaced: bytes) -> Path:
    """A file of torch.save with some of its records replaced, by the ends of their names."""
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", kind) as new:
        for record in old.infolist():
            name = record.filename.rpartition("/")[2].replace(".", "_")
            new.writestr(record.filename, replaced.get(name, old.read(record)))
    return target


def refused_file(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        Bundle.read(path)
    assert caught.value.file == str(path)
    assert caught.value.action
    return str(caught.value)


def pickled(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))


def test_a_file_that_unpacks_to_more_than_it_holds_is_refused(written, tmp_path):
    zeros = bytes(50_000_000)
    path = rewritten(written, tmp_path / "model.pt", compressed=True, **{"0": zeros})
    assert path.stat().st_size < 1_000_000
    assert "its records are compressed" in refused_file(path)


def test_tensors_that_claim_more_memory_than_the_file_has_are_refused(written, tmp_path):
    # 2 x 1024 weights, said to be 2^30 x 1024.
    claimed = pickled(written).replace(b"K\x02M\x00\x04\x86", b"J\x00\x00\x00\x40M\x00\x04\x86")
    assert claimed != pickled(written)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = refused_file(rewritten(written, tmp_path / "model.pt", data_pkl=claimed))
    assert "cannot be read as a saved model" in said
    for name, value in (("members", 10**7), ("hidden", 10**9)):
        content = torch.load(written, weights_only=True)
        content["settings"][name] = content["provenance"]["chosen"][name] = value
        torch.save(content, tmp_path / "model.pt")
        assert f"provenance.chosen.{name} is {value}" in refused_file(tmp_path / "model.pt")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.999])
def test_half_a_model_is_refused(written, tmp_path, kept):
    content = written.read_bytes()
    (tmp_path / "model.pt").write_bytes(content[: int(kept * len(content))])
    assert "cannot be read as a saved model" in refused_file(tmp_path / "model.pt")


@pytest.mark.parametrize("place", [0.2, 0.5, 0.7])
def test_a_changed_byte_is_seen(written, tmp_path, place):
    content = bytearray(written.read_bytes())
    content[int(place * len(content))] ^= 0xFF
    (tmp_path / "model.pt").write_bytes(content)
    assert "damaged (checksum)" in refused_file(tmp_path / "model.pt")


def test_tensors_that_share_memory_are_refused(content, tmp_path):
    shared = copy.deepcopy(content)
    shared["scalers"]["targets"]["sd"] = shared["scalers"]["targets"]["mean"] = torch.ones(
        6, dtype=torch.float64
    )
    torch.save(shared, tmp_path / "model.pt")
    assert "do not match" in refused_file(tmp_path / "model.pt")


@pytest.mark.parametrize("other", [[1, 2], "text", torch.zeros(3), {"head": {}}, {1: 2}])
def test_other_files_of_torch_are_no_models(tmp_path, other):
    torch.save(other, tmp_path / "model.pt")
    assert "cannot be read as a saved model" in refused_file(tmp_path / "model.pt")


def test_the_format_before_2020_is_no_model_of_ours(content, tmp_path):
    torch.save(content, tmp_path / "model.pt", _use_new_zipfile_serialization=False)
    assert "no file of torch.save" in refused_file(tmp_path / "model.pt")


@pytest.mark.parametrize("value", [NAN, INF])
def test_a_model_that_diverged_is_not_written(tmp_path, value):
    bundle = small_bundle()
    with torch.no_grad():
        next(bundle.trained.head.network.parameters())[0, 0] = value
    with pytest.raises(InputError, match=r"model\.pt: head\.members\.0\.1\.weight has 1 numbers such as"):
        bundle.write(tmp_path / "model.pt")
    assert list(tmp_path.iterdir()) == []
