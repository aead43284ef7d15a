"""Read JSON by the grammar of RFC 8259, keeping where each value stands in the text.

Shares no code with Python's json, on which lander.exact is built, nor with Arrow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# Where Python's own limit lies depends on its version and on the caller.
DEEPEST = 400
TOKEN = re.compile(
    r"[ \t\n\r]*(?:"
    r"(?P<mark>[{}\[\]:,])"
    r'|(?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<word>true|false|null)"
    r"|(?P<end>\Z)"
    r")"
)
ESCAPE = re.compile(r"\\(?:u(....)|(.))")
ESCAPED = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))


class NotJsonError(Exception):
    """The text is not JSON."""


class TooDeepError(Exception):
    """The text is nested deeper than this reader follows."""


@dataclass(frozen=True)
class Token:
    """A piece of text: a mark, string, number, word, or the end."""

    kind: str
    text: str
    start: int


@dataclass(frozen=True)
class Value:
    """A JSON value: object, array, string, number or word, and its text as it stands there.

    members: of an object, the text of each key and its value, duplicate keys too.
    """

    kind: str
    text: str
    members: list[tuple[str, Value]] = field(default_factory=list)

    @property
    def is_null(self) -> bool:
        """Whether it is the word null."""
        return self.text == "null"

    def get(self, name: str) -> Value | None:
        """The last member of this name, None if there is none or it is no object."""
        found = [value for key, value in self.members if unescaped(key) == name]
        return found[-1] if found else None


def read(text: str) -> Value:
    """The one value of the text. Raises NotJsonError, TooDeepError."""
    tokens = tokens_of(text)
    value = read_value(text, tokens, next(tokens), 0)
    expect(next(tokens), "")
    return value


def tokens_of(text: str) -> Iterator[Token]:
    """The tokens of the text, the end last."""
    position = 0
    while True:
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise NotJsonError(position)
        kind, position = match.lastgroup, match.end()
        yield Token(kind, match[kind], match.start(kind))


def read_value(text: str, tokens: Iterator[Token], token: Token, depth: int) -> Value:
    """The value that begins with the token."""
    if depth > DEEPEST:
        raise TooDeepError
    if token.text not in ("{", "["):
        if token.kind in ("mark", "end"):
            raise NotJsonError(token.start)
        return Value(token.kind, token.text)
    closing = "}" if token.text == "{" else "]"
    members: list[tuple[str, Value]] = []
    following = next(tokens)
    while following.text != closing or following.kind != "mark":
        if members:
            expect(following, ",")
            following = next(tokens)
        key = ""
        if closing == "}":
            if following.kind != "string":
                raise NotJsonError(following.start)
            key = following.text
            expect(next(tokens), ":")
            following = next(tokens)
        members.append((key, read_value(text, tokens, following, depth + 1)))
        following = next(tokens)
    whole = text[token.start : following.start + 1]
    return Value("object", whole, members) if closing == "}" else Value("array", whole)


def expect(token: Token, mark: str) -> None:
    """Raise NotJsonError unless the token is this mark, or the end for none."""
    if token.text != mark or token.kind not in ("mark", "end"):
        raise NotJsonError(token.start)


def unescaped(string: str) -> str:
    """What a JSON string says, half surrogate pairs kept."""
    plain = ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else ESCAPED[m[2]], string[1:-1])
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
