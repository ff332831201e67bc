"""Every variable that a document or the compose file names is a setting."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from settings import Settings

ROOT = Path(__file__).parents[2]
PREFIX = "PROSPECT_SYNC_"


def variables(model: type[BaseModel], prefix: str) -> set[str]:
    names = set()
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= variables(kind, f"{prefix}{name.upper()}__")
        else:
            names.add(prefix + name.upper())
    return names


@pytest.mark.parametrize("told_in", ["README.md", "docker-compose.yml", "Dockerfile", "CONTRIBUTING.md"])
def test_it_exists(told_in):
    told = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", (ROOT / told_in).read_text()))
    assert told - variables(Settings, PREFIX) - {PREFIX + "ENV_FILE"} == set()


def test_each_says_what_it_is():
    def undescribed(model: type[BaseModel]) -> list[str]:
        silent = []
        for name, field in model.model_fields.items():
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                silent += undescribed(kind)
            elif not field.description:
                silent.append(f"{model.__name__}.{name}")
        return silent

    assert undescribed(Settings) == []
