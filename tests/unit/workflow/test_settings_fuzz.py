import copy
import math
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ressat.base.errors import InputError
from ressat.workflow.config_file import check_yaml
from ressat.workflow.schema import config_schema
from ressat.workflow.settings import check_schema
from ressat.workflow.user_paths import expand_path

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=150)
PIECES = [
    "a",
    "1",
    ": ",
    ":",
    "- ",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "}",
    ",",
    '"',
    "'",
    "&x ",
    "*x",
    "<<",
    "? ",
    "|",
]
PIECES += ["!!int ", "!!bool ", "!!timestamp ", "!!binary ", "2024-13-45", "0x", "0b_", "9" * 5000, "\t", "#"]
PIECES += ["---", "%", "=", "\\ud800", "\0", "seed"]
SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.dates(),
) | st.sampled_from([10**400, -math.inf, "3e-4", "layer3", "\ud800", "list"])
KEY = st.one_of(st.text(max_size=5), st.integers(), st.none(), st.dates(), st.booleans())
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3), max_leaves=8
)


def names(part: dict, place: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every setting of a schema, by the names that lead to it."""
    found = [(*place, name) for name in part.get("properties", {})]
    return found + [deep for at in found for deep in names(part["properties"][at[-1]], at)]


@pytest.fixture(scope="module")
def schemas(repository):
    return repository / "schemas"


@pytest.fixture(scope="module")
def config(repository):
    return yaml.safe_load((repository / "config.yaml").read_text())


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "config.yaml"


def refusal(content: object, schemas: Path) -> str | None:
    """What is said of settings, which any log must be able to hold; None where they pass."""
    message = None
    schema = config_schema(schemas, content if isinstance(content, dict) else {})
    try:
        check_schema(content, schema, "config.yaml")
    except InputError as error:
        message = str(error)
    if message is not None:
        assert message.startswith("config.yaml: ")
        assert len(message.encode()) < 2000
    return message


@QUICK
@given(text=st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join))
@pytest.mark.parametrize("head", ["", "seed: ", "tiling:\n  tile_um: 112\n"])
def test_any_text_is_a_config_file_or_gives_the_one_error(file, head, text):
    file.write_bytes((head + text).encode("utf-8", "surrogatepass"))
    with suppress(InputError):
        check_yaml(file)
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert content is None or isinstance(content, dict)


@QUICK
@given(content=st.binary(max_size=60))
def test_any_bytes_are_a_config_file_or_give_the_one_error(file, content):
    file.write_bytes(content)
    with suppress(InputError):
        check_yaml(file)


@QUICK
@given(content=VALUE)
def test_any_content_but_settings_gives_the_one_error(schemas, content):
    assert refusal(content, schemas) is not None


@settings(QUICK, max_examples=400)
@given(data=st.data(), value=VALUE)
def test_any_value_of_any_setting_passes_or_gives_the_one_error(config, schemas, data, value):
    *groups, name = data.draw(st.sampled_from(names(config_schema(schemas, config))))
    changed = place = copy.deepcopy(config)
    for group in groups:
        place = place[group]
    place[name] = value
    refusal(changed, schemas)


@QUICK
@given(data=st.data(), name=KEY)
def test_any_unknown_name_gives_the_one_error(config, schemas, data, name):
    group = data.draw(st.sampled_from([None, *(key for key in config if isinstance(config[key], dict))]))
    changed = copy.deepcopy(config)
    place = changed if group is None else changed[group]
    if name not in place:
        place[name] = 1
        assert "the unknown name" in refusal(changed, schemas)


@QUICK
@given(
    pieces=st.lists(st.sampled_from(["~", "$", "{", "}", "/", "HOME", "\0", "\ud800"]) | st.text(max_size=3))
)
def test_any_path_is_expanded_or_gives_the_one_error(pieces):
    with suppress(InputError):
        assert "\0" not in expand_path("".join(pieces), "slide")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("seed: 1\ntiling: 2024-13-45", "line 2, column 9"),
        ("seed: " + "9" * 5000, "line 1, column 7"),
        ("seed: !!bool maybe", "line 1, column 7"),
        ("seed: 1\n tiling: [", "line 2, column 8"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_place(file, text, place):
    file.write_text(text)
    with pytest.raises(InputError, match="it cannot be read as YAML") as caught:
        check_yaml(file)
    assert f"{file}: it cannot be read as YAML ({place}): " in str(caught.value)
    assert "; expected settings as in" in str(caught.value)
    assert str(caught.value).endswith("correct the indentation, brackets and quotes there.")


@pytest.mark.parametrize("text", ["seed: &all [*all]", "[" * 5000, "seed: 0x" + "f" * 5000])
def test_a_value_that_no_setting_can_have_is_refused_as_yaml(file, text):
    file.write_text(text)
    with pytest.raises(InputError, match="it cannot be read as YAML; expected settings as in"):
        check_yaml(file)


@pytest.mark.parametrize(("text", "said"), [("- seed", "a list"), ("seed", 'one value, "seed"')])
def test_a_config_file_without_names_is_refused(file, text, said):
    file.write_text(text)
    with pytest.raises(InputError, match=f": {said}; expected settings by name"):
        check_yaml(file)


def test_a_config_file_in_another_encoding_or_that_is_a_folder_is_refused(file, tmp_path):
    file.write_text("seed: 1", encoding="utf-16")
    with pytest.raises(InputError, match=r"not a text file in UTF-8; .*; save it as text in UTF-8"):
        check_yaml(file)
    with pytest.raises(InputError, match=r"it cannot be read \(Is a directory\); .*; correct its path"):
        check_yaml(tmp_path)


def test_a_number_of_thousands_of_digits_is_refused(config, schemas):
    assert "a number of thousands of digits" in refusal({**config, "seed": 10**5000}, schemas)


def test_a_value_within_itself_is_refused(config, schemas):
    endless = []
    endless.append(endless)
    assert "seed is [[" in refusal({**config, "seed": endless}, schemas)


def test_a_name_that_stands_twice_is_refused(tmp_path):
    (tmp_path / "config.yaml").write_text("model:\n  hidden: 3\nseed: 1\nmodel:\n  hidden: 4\n")
    with pytest.raises(InputError, match=r"\(line 4, column 1\): model is given twice"):
        check_yaml(tmp_path / "config.yaml")
