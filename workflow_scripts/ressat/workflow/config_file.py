"""Reading a study's config file before Snakemake does, so that what must not be read is refused."""

import json
from pathlib import Path

import yaml

from ressat.base.errors import InputError, about_its_file
from ressat.workflow.settings import excerpt
from ressat.workflow.text_file import read_study_file

EXPECTED = "settings as in the pipeline's own config.yaml"
# Snakemake runs the expressions in a config file that has this name at its top.
TEMPLATE_SWITCH = "__use_yte__"
# Characters that a config file may have, written out without aliases: these can multiply without end.
LARGEST = 1_000_000


class _Loader(yaml.SafeLoader):
    """Gives the position of a value that only looks like a date or a number, and of a repeated name."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        names: set[str] = set()
        for name, _ in node.value:
            if isinstance(name, yaml.ScalarNode):
                if name.value in names:
                    raise yaml.constructor.ConstructorError(
                        problem=f"{name.value} is given twice", problem_mark=name.start_mark
                    )
                names.add(name.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        if node.tag.startswith("tag:yaml.org,2002:python/") or node.tag.startswith("!"):
            raise InputError(
                f"the tag {node.tag.replace('tag:yaml.org,2002:', '!!')} (line {node.start_mark.line + 1})",
                expected="numbers, words, lists and settings by name, without tags",
                action="remove it",
            )
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise yaml.constructor.ConstructorError(
                problem=str(error), problem_mark=node.start_mark
            ) from error


@about_its_file
def check_yaml(path: str | Path) -> None:
    """Refuse a config file that is not a YAML mapping, or that does more than hold settings.

    Raises
    ------
    InputError
        Naming the line that cannot be read; for a file whose aliases multiply; for one that asks
        Snakemake to run code.
    """
    try:
        text = read_study_file(path, expected=EXPECTED, action="save it as text in UTF-8")
    except FileNotFoundError as error:
        raise InputError("no such file", expected=EXPECTED, action="correct its path") from error
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None and _expanded_size(node, {}) > LARGEST:
            raise InputError(
                f"more than {LARGEST:,} characters once its aliases are written out",
                expected=EXPECTED,
                action="write out what its aliases (*name) stand for, or remove them",
            )
        content = None if node is None else loader.construct_document(node)
        json.dumps(content, default=str, skipkeys=True)  # fails for an alias of what contains it
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(
            "it cannot be read as YAML"
            + (f" (line {mark.line + 1}, column {mark.column + 1})" if mark else "")
            + (f": {error.problem}" if getattr(error, "problem", None) else ""),
            expected=EXPECTED,
            action="correct the indentation, brackets and quotes there",
        ) from error
    if content is not None and not isinstance(content, dict):
        raise InputError(
            "a list" if isinstance(content, list) else f"one value, {excerpt(content)}",
            expected="settings by name, as in the pipeline's own config.yaml",
            action="correct it",
        )
    if content and TEMPLATE_SWITCH in content:
        raise InputError(
            f"{TEMPLATE_SWITCH}, by which a config file runs code",
            expected="settings alone",
            action="remove it, and write the values out",
        )


def _expanded_size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Characters of a node with every alias in it written out; of one within itself RecursionError."""
    if id(node) not in sizes:
        if isinstance(node, yaml.ScalarNode):
            size = len(node.value)
        else:
            pairs = isinstance(node, yaml.MappingNode)
            inner = [one for pair in node.value for one in pair] if pairs else node.value
            size = sum(_expanded_size(one, sizes) for one in inner)
        sizes[id(node)] = size + 1
    return sizes[id(node)]
