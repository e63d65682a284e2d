"""The notebooks we have, the parameters they take, and whether the ones given can be meant — all before anything runs.

papermill itself takes an unknown parameter with a warning and then runs with the default: an audit of another file than
the one that was named. Here that is an error.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, Protocol

from pgaudit_kit.errors import ParameterError, UsageError, hide_secrets


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a notebook: its type's name, its default as written, its comment, whether it must be given."""

    name: str
    type: str
    default: str
    help: str

    @property
    def required(self) -> bool:
        """Its comment starts with `required`: there is no default that could be meant."""
        return self.help.lower().startswith("required")

    @property
    def default_value(self) -> Any:
        """The default as a value; as written when it is more than a literal."""
        try:
            return ast.literal_eval(self.default)
        except (ValueError, SyntaxError):
            return self.default


class _Folder(Protocol):
    """What importlib.resources and pathlib both offer."""

    def joinpath(self, *names: str) -> Any: ...
    def is_dir(self) -> bool: ...
    def iterdir(self) -> Iterable[Any]: ...


def report_names() -> tuple[str, ...]:
    """Return the names of the notebooks that come with the package, sorted."""
    return tuple(sorted(f.name.removesuffix(".ipynb") for f in _folder().iterdir() if f.name.endswith(".ipynb")))


def load_notebook(name: str) -> Any:
    """Return the notebook *name* as an nbformat 4 node: one of `report_names()`, or a path that ends in `.ipynb`.

    Raises UsageError when there is none.
    """
    file: Any = Path(name) if name.endswith(".ipynb") else _folder().joinpath(f"{name}.ipynb") if re.fullmatch(r"[\w-]+", name) else None
    if file is None or not file.is_file():
        raise UsageError(f"there is no report named {name}", resource=name, remedy=f"The reports are {', '.join(report_names())}.")
    return parse_notebook(file.read_text(encoding="utf-8"))


def parse_notebook(text: str) -> Any:
    """Return the notebook in *text* as an nbformat 4 node."""
    import nbformat

    reads: Callable[..., Any] = nbformat.reads
    return reads(text, as_version=4)


def notebook_parameters(notebook: Any) -> tuple[Parameter, ...]:
    """Return the parameters of *notebook* in the order of its parameters cell."""
    from papermill import inspect_notebook

    found = inspect_notebook(notebook)
    return tuple(Parameter(p["name"], p["inferred_type_name"], p["default"], p["help"].strip()) for p in found.values())


def check_parameters(report: str, known: Iterable[Parameter], given: Mapping[str, object]) -> dict[str, Any]:
    """Return *given* with every value as the notebook wants it.

    A text given for a bool, int or float is read as the value it spells (that is how a command line gives it), a path
    becomes its text. Raises ParameterError: an unknown name, a value of another type, a required one that is missing,
    or a value that holds a password.
    """
    by_name = {p.name: p for p in known}
    taken = ", ".join(f"{p.name} ({p.type})" for p in by_name.values()) or "none"
    for name in given:
        if name not in by_name:
            raise ParameterError(f"report {report} has no parameter {name}", resource=name, remedy=f"Its parameters: {taken}.")
    checked = {name: _checked(by_name[name], value) for name, value in given.items()}
    for parameter in by_name.values():
        if parameter.required and not checked.get(parameter.name):
            told = parameter.help.partition(":")[2].strip() or parameter.name
            remedy = f"Give it: -p {parameter.name}=…, or parameters={{'{parameter.name}': …}}."
            raise ParameterError(f"report {report} needs {parameter.name}, {told}", resource=parameter.name, remedy=remedy)
    return checked


def check_given(kind: type, **parameters: object) -> None:
    """In a notebook: refuse *parameters* that are of no *kind* or hold a password, which papermill, called directly, takes as they come.

    It gives `-p force no` as a text, and a text is true. Raises ParameterError.
    """
    for name, value in parameters.items():
        if isinstance(value, str):
            _refuse_secret(name, value)
        if type(value) is not kind:
            message = f"parameter {name} is to be {_TYPE_WORDS[kind.__name__]}, but was given {_an(type(value).__name__)}"
            raise ParameterError(message, resource=name, remedy=_AS_IT_IS[kind is str])


def _checked(parameter: Parameter, value: object) -> Any:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        _refuse_secret(parameter.name, value)
    reader = _READERS.get(parameter.type)
    if reader is None:
        return value
    try:
        return reader(value)
    except ValueError as error:
        # the value itself is not shown: what was passed by mistake may be a secret
        message = f"parameter {parameter.name} is to be {_TYPE_WORDS[parameter.type]}, but was given {_an(type(value).__name__)}"
        remedy = f"Its default is {parameter.default}: {parameter.help}" + (_QUOTES if parameter.type == "str" else "")
        raise ParameterError(message, resource=parameter.name, remedy=remedy) from error


_QUOTES: Final = ". In a file of YAML a text that looks like something else stands in quotes."

# looser than a URL's grammar on purpose: a password may hold a slash, and refusing one address too many harms nobody
_URL_WITH_PASSWORD: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s@]*:[^\s]*@", re.IGNORECASE)


def _refuse_secret(name: str, value: str) -> None:
    if _URL_WITH_PASSWORD.search(value) or hide_secrets(value) != value:
        raise ParameterError(
            f"parameter {name} holds a password, and a notebook keeps its parameters",
            resource=name,
            remedy="Put the URL into an environment variable or a .env file and name it: env:DATABASE_URL, or dotenv:.env#DATABASE_URL.",
        )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004 -- one kind of refusal for all readers
    return value


_SPELLED: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _SPELLED:
        return _SPELLED[value.strip().lower()]
    raise ValueError(value)


def _int(value: object) -> int:
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        return int(value)
    raise ValueError(value)


def _float(value: object) -> float:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return float(value)
    raise ValueError(value)


_AS_IT_IS: Final = {False: "Of papermill: -p NAME True or False.", True: "Of papermill: -r NAME VALUE, which stays the text it is."}
_READERS: Final[Mapping[str, Callable[[object], Any]]] = {"str": _text, "bool": _bool, "int": _int, "float": _float}
_TYPE_WORDS: Final = {"str": "a text", "bool": "true or false", "int": "a whole number", "float": "a number"}


def _an(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _folder() -> _Folder:
    """The folder of notebooks: inside the package when installed from a wheel, beside it in a source tree."""
    shipped = resources.files("pgaudit_kit").joinpath("notebooks")
    return shipped if shipped.is_dir() else Path(__file__).resolve().parents[2] / "notebooks"
