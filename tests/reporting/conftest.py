"""Notebooks of the tests' own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.reporting.small_notebooks import PARAMETERS, MakeNotebook, code, prose


@pytest.fixture
def make_notebook(tmp_path: Path) -> MakeNotebook:
    """Give a function that writes a notebook from its cells (a parameters cell is put first) and returns its path."""

    def make(*cells: dict[str, Any], name: str = "small", parameters: str = PARAMETERS) -> str:
        numbered = [
            {"id": f"cell-{i}", **cell} for i, cell in enumerate([prose("# A small question"), code(parameters, "parameters"), *cells])
        ]
        metadata = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
        path = tmp_path / f"{name}.ipynb"
        path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": numbered}), encoding="utf-8")
        return str(path)

    return make
