"""A registry loads its members by name, and every member is what its kind promises."""

import inspect
import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

import ressat
from ressat.base.errors import InputError
from ressat.base.registry import Registry, nearest
from ressat.counts.format import CountsFormat
from ressat.counts.formats.registry import FORMATS
from ressat.counts.readers.registry import READERS
from ressat.encoders.encoder import Encoder
from ressat.encoders.families.registry import FAMILIES
from ressat.encoders.registry import ENCODERS
from ressat.stain.method import StainMethod
from ressat.stain.methods.registry import METHODS
from ressat.workflow.scheme import Scheme
from ressat.workflow.schemes.registry import SCHEMES

LIBRARY = Path(ressat.__file__).parent
REGISTRIES = [ENCODERS, FAMILIES, FORMATS, METHODS, READERS, SCHEMES]
MEMBERS = [(registry, name) for registry in REGISTRIES for name in registry.names]


def folder(registry: Registry) -> Path:
    return LIBRARY.joinpath(*registry.package.split(".")[1:])


@pytest.mark.parametrize(
    ("known", "name", "meant"),
    [
        (("macenko", "reinhard", "none"), "Macenco", "macenko"),
        (("macenko", "reinhard", "none"), "REINHARD", "reinhard"),
        (("macenko", "reinhard", "none"), "vahadane", None),
        ((), "anything", None),
    ],
)
def test_the_nearest_of_some_names(known, name, meant):
    assert nearest(name, known) == meant


@pytest.mark.parametrize(("registry", "name"), MEMBERS, ids=lambda value: getattr(value, "kind", value))
def test_an_unknown_name_is_refused_and_the_nearest_proposed(registry, name):
    with pytest.raises(InputError) as caught:
        registry.load(f"{name}_")
    listed = ", ".join(registry.names)
    said = f"the unknown {registry.kind} {name}_; expected one of {listed}; did you mean {name}?"
    assert str(caught.value) == said


def test_a_name_like_no_other_is_refused_with_those_that_there_are():
    with pytest.raises(InputError) as caught:
        METHODS.load("xyzzy")
    said = "the unknown stain method xyzzy; expected one of macenko, reinhard, none; choose one of them."
    assert str(caught.value) == said


def test_modules_beside_the_members_are_none():
    for name in ("registry", "encoder", "network", "families.resnet"):
        with pytest.raises(InputError, match=f"the unknown encoder {name}; "):
            ENCODERS.load(name)


def test_every_registry_of_the_library_is_tested_here():
    listed = {path.parent for path in LIBRARY.rglob("registry.py")} - {LIBRARY / "base"}
    assert sorted(listed) == sorted(map(folder, REGISTRIES))


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_every_module_with_a_member_is_listed(registry):
    modules = {path.stem for path in folder(registry).glob("*.py") if "\nMEMBER = " in path.read_text()}
    assert modules == set(registry.names)
    assert len(registry.names) == len(set(registry.names))


@pytest.mark.parametrize(("registry", "name"), MEMBERS, ids=lambda value: getattr(value, "kind", value))
def test_a_member_is_the_constant_of_its_module(registry, name):
    assert registry.load(name) is import_module(f"{registry.package}.{name}").MEMBER


def test_every_format_has_a_reader_of_files_and_options():
    assert READERS.names == FORMATS.names
    for name in READERS.names:
        assert list(inspect.signature(READERS.load(name)).parameters) == ["files", "options"]


@pytest.mark.parametrize("name", FORMATS.names)
def test_formats_say_what_they_are(name):
    format = FORMATS.load(name)
    assert isinstance(format, CountsFormat)
    assert format.name == name
    assert format.title.startswith(("a ", "an "))
    assert isinstance(format.columns, frozenset)
    assert format.words
    assert format.citation.endswith(".")


@pytest.mark.parametrize("name", [name for name in METHODS.names if name != "none"])
def test_stain_methods_say_what_they_are(name):
    method = METHODS.load(name)
    assert isinstance(method, StainMethod)
    assert method.name == name
    assert isinstance(method.published, method.stains)
    assert method.words
    assert method.citation.endswith(".")


def test_no_stain_normalisation_is_no_method():
    assert METHODS.load("none") is None


@pytest.mark.parametrize("name", SCHEMES.names)
def test_schemes_say_what_they_are(name):
    scheme = SCHEMES.load(name)
    assert isinstance(scheme, Scheme)
    assert scheme.name == name
    assert scheme.words


def test_what_schemes_claim():
    claims = {
        "holdout": (False, True),
        "leave_one_patient_out": (True, True),
        "leave_one_section_out": (True, False),
        "patient_kfold": (True, True),
    }
    schemes = {name: SCHEMES.load(name) for name in claims}
    assert {name: (one.rotates, one.across_patients) for name, one in schemes.items()} == claims


@pytest.mark.parametrize("name", ENCODERS.names)
def test_encoders_say_what_they_are(name):
    encoder = ENCODERS.load(name)
    assert isinstance(encoder, Encoder)
    assert encoder.name == name
    # Weights that nobody may pass on are not published here; a ResNet50 saw no tissue, and reads any size.
    optional = {"published", "gated", "px", "tile_um", "architecture", "definition", "own_pixels"}
    assert {field.name for field in fields(encoder) if not getattr(encoder, field.name)} <= optional
    assert encoder.definition is None
    assert not encoder.own_pixels
    assert encoder.page.startswith("https://")
    assert encoder.precision in ("bf16", "fp32")
    assert re.fullmatch("[a-z][a-z0-9_]*", name)
    assert not encoder.words.endswith(".")
    assert encoder.family in FAMILIES.names
    for layers in (encoder.default_layers, encoder.hest_layers):
        assert set(layers) <= set(encoder.layers)
    assert encoder.citation.endswith(".")
    for weights in encoder.published.values():
        assert [field.name for field in fields(weights) if not getattr(weights, field.name)] == []


@pytest.mark.parametrize("name", FAMILIES.names)
def test_families_build_networks(name):
    assert callable(FAMILIES.load(name).build)
