import copy

import pytest
import yaml

from ressat.workflow.study import Study
from small_study import FILES, SHEET, Load


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A study's folder with every file that its sheet names; the working directory."""
    for name in FILES:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")
    (tmp_path / "samples.tsv").write_text(SHEET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def load(folder, repository) -> Load:
    """Load the study with the defaults but for settings given as group__name=value."""
    defaults = yaml.safe_load((repository / "config.yaml").read_text())

    def load(sheet: str | None = None, **settings: object) -> Study:
        config = copy.deepcopy(defaults)
        for setting, value in settings.items():
            group, _, name = setting.partition("__")
            config = config | {group: config[group] | {name: value} if name else value}
        if sheet is not None:
            (folder / "samples.tsv").write_text(sheet)
        return Study.load(config, "config.yaml", repository / "schemas")

    return load
