"""What the schemas allow comes from the registries, and the sheet has a column for all that formats need."""

import copy

import pytest
import yaml

from ressat.base.errors import InputError
from ressat.counts.formats.registry import FORMATS
from ressat.encoders.registry import ENCODERS
from ressat.stain.methods.registry import METHODS
from ressat.workflow.encoder_setting import OWN_FILE
from ressat.workflow.schema import config_schema, sheet_schema
from ressat.workflow.schemes.registry import SCHEMES
from ressat.workflow.settings import check_schema
from ressat.workflow.sheet import Section

REGISTRIES = {"stain.method": METHODS, "features.encoder": ENCODERS, "evaluation.scheme": SCHEMES}
CHOICES = [(setting, name) for setting, registry in REGISTRIES.items() for name in registry.names]


@pytest.fixture
def config(repository):
    return yaml.safe_load((repository / "config.yaml").read_text())


def check(repository, config: dict, setting: str, value: object) -> None:
    """Check a config with one setting changed, as a study does."""
    group, name = setting.split(".")
    changed = copy.deepcopy(config)
    changed[group][name] = value
    check_schema(changed, config_schema(repository / "schemas", changed), "config.yaml")


def refusal(repository, config: dict, setting: str, value: object) -> str:
    with pytest.raises(InputError) as caught:
        check(repository, config, setting, value)
    return str(caught.value)


@pytest.mark.parametrize(("setting", "name"), CHOICES)
def test_every_member_of_a_registry_may_be_named(repository, config, setting, name):
    check(repository, config, setting, name)


@pytest.mark.parametrize(("setting", "name"), CHOICES)
def test_a_misspelt_member_is_refused_with_all_there_are_and_the_nearest_proposed(
    repository, config, setting, name
):
    *others, last = REGISTRIES[setting].names
    listed = f"{', '.join(others)} or {last}" if others else last
    if setting == "features.encoder":
        listed = f"{', '.join([*others, last])} or {OWN_FILE}"
    said = f'config.yaml: {setting} is "{name}x"; expected {listed}; did you mean {name}?'
    assert refusal(repository, config, setting, f"{name}x") == said


@pytest.mark.parametrize("setting", REGISTRIES)
@pytest.mark.parametrize("value", ["registry", "", None, 1, [], {"name": "none"}])
def test_what_is_like_no_member_is_refused(repository, config, setting, value):
    message = refusal(repository, config, setting, value)
    assert message.startswith(f"config.yaml: {setting} is ")
    assert message.endswith("; correct it.")


@pytest.mark.parametrize("name", ENCODERS.names)
def test_layers_and_weights_are_those_of_the_encoder(repository, config, name):
    encoder = ENCODERS.load(name)
    config["features"]["encoder"] = name
    for layers in (None, list(encoder.layers)):
        check(repository, config, "model.layers", layers)
        check(repository, config, "model.candidates", [{"layers": layers}])
    message = refusal(repository, config, "model.layers", [f"{next(iter(encoder.layers))}x"])
    assert message.endswith(f"did you mean {next(iter(encoder.layers))}?")
    schema = config_schema(repository / "schemas", config)
    description = schema["properties"]["features"]["properties"]["weights"]["description"]
    assert all(weights in description for weights in (*encoder.published, "random", "the path of"))


@pytest.mark.parametrize("features", [None, "resnet50", [], {}, {"encoder": None}, {"encoder": []}])
def test_settings_without_an_encoder_have_a_schema_too(repository, config, features):
    schema = config_schema(repository / "schemas", config | {"features": features})
    assert schema["properties"]["features"]["properties"]["encoder"]["enum"] == list(ENCODERS.names)
    assert config_schema(repository / "schemas", {}) == schema


@pytest.mark.parametrize("name", FORMATS.names)
def test_the_columns_of_a_format_are_columns_of_the_sheet(repository, name):
    columns = FORMATS.load(name).columns
    assert columns <= set(sheet_schema(repository / "schemas")["properties"])
    row = Section("S1", None, None, None, "P", "train")
    assert all(hasattr(row, column) for column in columns)


def test_the_options_of_counts_are_the_columns_that_formats_understand():
    values = {"spots": "s.tsv", "bin_um": 8, "layer": "counts", "table": "t", "region": "r", "subset": "-2"}
    row = Section("S1", None, None, patient="P", role="train", **values)
    assert row.counts_options == values
    assert set(values) == set().union(*(FORMATS.load(name).columns for name in FORMATS.names))
