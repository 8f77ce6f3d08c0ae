"""What is wrong with a setting, in one line that names it as it was written."""

from functools import reduce

from pydantic_core import ErrorDetails

from batchanator.domain.errors import SettingsError
from batchanator.settings.entries import Entry, locate, refuse
from batchanator.settings.fields import pascal

_SECRET = {"database", "connection_string", "api_keys"}
_OUR_WORDS = (
    ("Input should", "must"),
    ("String should", "must"),
    ("Tuple should", "must"),
    ("a valid tuple", "a list"),
    ("a valid integer", "a whole number"),
    ("a valid string", "a text"),
    ("a valid dictionary", "a section"),
    ("greater than or equal to", "at least"),
    ("less than or equal to", "at most"),
)


def first_problem(merged: Entry, error: ErrorDetails) -> SettingsError:
    """Return the error for a fault that the model found; the value is shown only where it is no secret."""
    context = error.get("ctx") or {}
    path = [context["setting"]] if context.get("setting") else list(error["loc"])
    entry, left = locate(merged, path)
    if error["type"] == "missing" and left:
        return refuse(entry, f"has no {pascal(str(left[0]))}")
    problem = reduce(lambda text, pair: text.replace(*pair), _OUR_WORDS, error["msg"])
    if error["type"] != "complaint":
        problem = _shorter(problem, error["type"])
        if not _SECRET & set(path) and isinstance(entry.value, str | int | float):
            problem += f", not {entry.value!r:.60}"
    return refuse(entry, problem)


def _shorter(problem: str, kind: str) -> str:
    if kind == "model_type":
        return "must be a section"
    return problem.split(", unable to", maxsplit=1)[0]
