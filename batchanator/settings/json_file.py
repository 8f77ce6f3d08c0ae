"""Read a JSON file as .NET does: with comments, trailing commas, `:` in names, and no name twice."""

import json
import re
from typing import Any, NoReturn

from batchanator.domain.errors import SettingsError
from batchanator.settings.entries import Entry, printable

_TOKEN = re.compile(
    r"(?P<skip>[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)"
    r'|(?P<text>"(?:[^"\\\r\n]|\\.)*")'
    r"|(?P<mark>[{}\[\],:])|(?P<word>[-+.\w]+)",
    re.DOTALL,
)
_DEEPEST = 64  # System.Text.Json's own limit


def read_json(text: str, label: str) -> Entry:
    """Return the file's root section; every entry knows its line. Raises SettingsError with the line."""
    return _Reader(text, label).root()


class _Reader:
    def __init__(self, text: str, label: str) -> None:
        self._label = label
        self._line = 1
        self._tokens = self._split(text)
        self._next = 0

    def root(self) -> Entry:
        if not self._tokens or self._tokens[0][1] != "{":
            self._fail("the file must be one JSON object")
        value = self._value(0)
        if self._next < len(self._tokens):
            self._take()
            self._fail("something follows the object's end")
        return value

    def _split(self, text: str) -> list[tuple[str, str, int]]:
        tokens = []
        position, line = 0, 1
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                self._line = line
                self._fail("not valid JSON: a text or comment without an end, or a stray character")
            if match.lastgroup != "skip":
                tokens.append((str(match.lastgroup), match[0], line))
            line += match[0].count("\n")
            position = match.end()
        return tokens

    def _take(self) -> tuple[str, str]:
        if self._next == len(self._tokens):
            self._fail("not valid JSON: the file ends too early")
        kind, text, self._line = self._tokens[self._next]
        self._next += 1
        return kind, text

    def _value(self, depth: int) -> Entry:
        kind, text = self._take()
        origin = f"{self._label} line {self._line}"
        if depth > _DEEPEST:
            self._fail(f"nested deeper than {_DEEPEST} levels")
        if text == "{":
            return Entry(self._object(depth), origin)
        if text == "[":
            return Entry(self._array(depth), origin)
        if kind == "mark":
            self._fail(f"not valid JSON: {_token(text)} stands where a value should")
        return Entry(self._scalar(text), origin)

    def _object(self, depth: int) -> dict[str, Entry]:
        parts: dict[str, Entry] = {}
        while True:
            kind, text = self._take()
            if text == "}":
                return parts
            if kind != "text":
                self._fail(f"not valid JSON: {_token(text)} stands where a name in quotes should")
            name, line = str(self._scalar(text)), self._line
            if self._take()[1] != ":":
                self._fail(f'not valid JSON: no colon after "{name}"')
            if name.count(":") > _DEEPEST:
                self._fail(f"nested deeper than {_DEEPEST} levels")
            self._put(parts, name, self._value(depth + 1), line)
            if self._ends("}"):
                return parts

    def _array(self, depth: int) -> list[Entry]:
        parts: list[Entry] = []
        while True:
            if self._next < len(self._tokens) and self._tokens[self._next][1] == "]":
                self._take()
                return parts
            parts.append(self._value(depth + 1))
            if self._ends("]"):
                return parts

    def _ends(self, bracket: str) -> bool:
        _, text = self._take()
        if text not in {",", bracket}:
            self._fail(f"not valid JSON: no comma before {_token(text)}")
        return text == bracket

    def _put(self, parts: dict[str, Entry], name: str, entry: Entry, line: int) -> None:
        """Add a part by its name; sections of one name are one section, a value named twice is an error."""
        first, colon, rest = name.partition(":")
        origin = f"{self._label} line {line}"
        same = next((known for known in parts if known.lower() == first.lower()), None)
        new = Entry({rest: entry} if colon else entry.value, origin)
        if isinstance(new.value, dict) and (same is None or isinstance(parts[same].value, dict)):
            home = parts[same] if same else parts.setdefault(first, Entry({}, origin))
            for inner, part in new.value.items():
                self._put(home.value, inner, part, int(part.origin.rpartition(" ")[2]))
            return
        if same is not None:
            self._line = line
            self._fail(f'"{name}" is there twice')
        parts[first] = new

    def _scalar(self, token: str) -> Any:
        try:
            return json.loads(token, parse_constant=self._constant)
        except ValueError:
            self._fail(f"not valid JSON: {_token(token)} is no value")

    def _constant(self, token: str) -> NoReturn:
        raise ValueError(token)

    def _fail(self, problem: str) -> NoReturn:
        # `from None`: a traceback of the parser's would show the text, which may hold a password.
        raise SettingsError(printable(f"{self._label} line {self._line}: {problem}")) from None


def _token(text: str) -> str:
    """Name a token without what a text says, which may be a password that lacks a comma."""
    return "a text" if text.startswith('"') else text[:20]
