import copy
import datetime
import math
import os

import pytest
import yaml

from ressat.base.errors import InputError
from ressat.workflow.config_file import check_yaml
from ressat.workflow.schema import config_schema
from ressat.workflow.settings import check_schema, laid_over


@pytest.fixture
def config(repository):
    return yaml.safe_load((repository / "config.yaml").read_text())


@pytest.fixture
def schema(repository, config):
    return config_schema(repository / "schemas", config)


def changed(config: dict, setting: str, value: object) -> dict:
    config = copy.deepcopy(config)
    *groups, name = setting.split(".")
    place = config
    for group in groups:
        place = place[group]
    place[name] = value
    return config


def refusal(config: dict, schema: dict) -> str:
    with pytest.raises(InputError) as caught:
        check_schema(config, schema, "config.yaml")
    assert str(caught.value).startswith("config.yaml: ")
    return str(caught.value)


def test_the_defaults_pass(config, schema):
    check_schema(config, schema, "config.yaml")


@pytest.mark.parametrize("study", ["demo", "tests/workflow/her2st"])
def test_the_studies_that_come_with_the_repository_pass(config, schema, repository, study):
    for name, value in yaml.safe_load((repository / study / "config.yaml").read_text()).items():
        config[name] = {**config[name], **value} if isinstance(value, dict) else value
    check_schema(config, schema, "config.yaml")


def test_settings_are_laid_over_the_defaults(tmp_path):
    text = "seed: 1\nmodel: {hidden: 256, candidates: [{context: 0}]}\nuse: {}\n"
    (tmp_path / "defaults.yaml").write_text(text)
    settings = {"model": {"candidates": [], "droput": 0.5}, "use": {"A1": {"seed": 2}}}
    assert laid_over(tmp_path / "defaults.yaml", settings) == {
        "seed": 1,
        "model": {"hidden": 256, "candidates": [], "droput": 0.5},
        "use": {"A1": {"seed": 2}},
    }
    for value in (None, 5, ["hidden"]):
        assert laid_over(tmp_path / "defaults.yaml", {"model": value})["model"] == value
    assert laid_over(tmp_path / "defaults.yaml", {})["model"]["hidden"] == 256


def test_the_schema_knows_every_default_and_no_setting_without_one(config, schema):
    def names(content):
        return {k: names(v) for k, v in content.items()} if isinstance(content, dict) else None

    def described(part):
        return {k: described(v) for k, v in part["properties"].items()} if "properties" in part else None

    wanted = described(schema)
    wanted["simulate"] = {}  # its sections are named by the study
    assert names(config) == wanted


def test_every_setting_has_a_description_for_messages(schema):
    def undescribed(part, name=""):
        for key, value in part.get("properties", {}).items():
            if "$ref" in value:
                value = schema["$defs"][value["$ref"].split("/")[-1]]
            yield from [f"{name}{key}"] if "description" not in value else []
            yield from undescribed(value, f"{name}{key}.")

    assert not list(undescribed(schema))


@pytest.mark.parametrize(
    ("setting", "nearest"),
    [
        ("sed", "seed"),
        ("Seed", "seed"),
        ("stian", "stain"),
        ("evaluations", "evaluation"),
        ("tiling.tile_mu", "tile_um"),
        ("tiling.min_tisue", "min_tissue"),
        ("features.weight", "weights"),
        ("model.droput", "dropout"),
        ("evaluation.within_patients", "within_patient"),
        ("simulate.section", "sections"),
        ("tile_um", "tiling.tile_um"),  # one level too high
        ("features.dropout", "model.dropout"),  # in another group
    ],
)
def test_a_misspelt_name_is_refused_and_the_nearest_proposed(config, schema, setting, nearest):
    message = refusal(changed(config, setting, 1), schema)
    assert f"the unknown name {setting};" in message
    assert message.endswith(f"did you mean {nearest}?")


def test_a_name_like_no_other_lists_those_that_exist(config, schema):
    message = refusal(changed(config, "stain.xyzzy", 1), schema)
    assert "the unknown name stain.xyzzy; expected one of method, reference, max_pixels; remove it" in message


def test_a_misspelt_name_comes_before_what_it_breaks(config, schema):
    config["sampels"] = config.pop("samples")
    assert refusal(changed(config, "seed", "x"), schema).endswith("did you mean samples?")


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("seed", "one", "a whole number from 0"),
        ("seed", -1, "a whole number from 0"),
        ("seed", True, "a whole number from 0"),
        ("seed", 2**32, "to 4294967295"),
        ("samples", datetime.date(2024, 1, 1), "the path of the sample sheet"),
        ("samples", "", "the path of the sample sheet"),
        ("tiling", None, "settings by name"),
        ("tiling", [112], "settings by name"),
        ("tiling.tile_um", 0, "um, 5 to 5000"),
        ("tiling.tile_um", "112um", "um, 5 to 5000"),
        ("tiling.tile_px", 224.0, "a whole number of pixels"),
        ("tiling.min_tissue", 50, "a share from 0 to 1"),
        ("stain.method", "Macenko", "macenko, reinhard or none"),
        ("stain.method", None, "macenko, reinhard or none"),
        ("features.precision", "fp16", "auto, bf16 or fp32"),
        ("expression.unit", "cp10k", "log1p_cp10k or thinned"),
        ("expression.depth", 0, "a whole number of counts"),
        ("expression.depth", "1000", "a whole number of counts"),
        ("genes.method", "best", "hvg, highest, svg or list"),
        ("genes.number", 0, "a whole number, 1 or more"),
        ("model.layers", [], "layer3, layer4 or both"),
        ("model.layers", "layer3", "layer3, layer4 or both"),
        ("model.layers", ["layer3", "layer3"], "layer3, layer4 or both"),
        ("model.layers", ["layer5"], "'layer3', 'layer4'"),
        ("model.dropout", 1, "a share from 0 to below 1"),
        ("model.learning_rate", 0, "above 0"),
        ("model.weight_decay", math.inf, "a number, 0 or more"),
        ("model.weight_decay", math.nan, "a number, 0 or more"),
        ("report.clusters", 1, "a whole number from 2 to 8"),
        ("evaluation.within_patient", "yes", "true or false"),
        ("simulate.sections", None, "settings of simulated sections"),
    ],
)
def test_an_impossible_value_names_the_setting_and_what_was_expected(
    config, schema, setting, value, expected
):
    message = refusal(changed(config, setting, value), schema)
    assert f"config.yaml: {setting}" in message
    assert expected in message.split("; expected ")[1]


def test_a_gene_list_is_needed_for_the_method_list_only(config, schema):
    message = refusal(changed(config, "genes.method", "list"), schema)
    assert "genes.list is null; expected the path of a file with one gene per line" in message
    config["genes"] |= {"method": "list", "list": "genes.txt"}
    check_schema(config, schema, "config.yaml")


def test_a_depth_is_needed_for_the_unit_thinned_only(config, schema):
    message = refusal(changed(config, "expression.unit", "thinned"), schema)
    assert "expression.depth is null; expected a whole number of counts, such as 1000" in message
    config["expression"] = {"unit": "thinned", "depth": 1000}
    check_schema(config, schema, "config.yaml")
    config["expression"]["unit"] = "log1p_cp10k"
    check_schema(config, schema, "config.yaml")


def test_a_number_that_yaml_takes_for_text_is_explained(config, schema):
    config = changed(config, "model.learning_rate", yaml.safe_load("3e-4"))
    assert 'model.learning_rate is "3e-4"' in refusal(config, schema)
    assert "a plain number, such as 0.0003" in refusal(config, schema)


@pytest.mark.parametrize("name", ["pipe", "/dev/zero"])
def test_a_config_that_is_no_file_is_refused_unread(name, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"a named pipe|a character device"):
        check_yaml(tmp_path / name)
