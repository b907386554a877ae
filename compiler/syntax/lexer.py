"""Tokens on demand.

What a character means depends on where it stands: `/` divides or closes a predicate, and attach points and C
definitions are not made of tokens at all. So the parser pulls tokens one at a time and may continue at any offset.
"""

from __future__ import annotations

import re

from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import SourceFile, Span

# Kinds of tokens: the names of these groups, "eof", and for operators and punctuation the text itself.
_TOKEN = re.compile(
    r"""
    (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<operator><<=|>>=|\+\+|--|->|\.\.|&&|\|\||<<|>>|[-+*/%&|^=!<>]=|[-+*/%&|^=!<>~?:;,.(){}\[\]])
  | (?P<variable>\$[A-Za-z_][A-Za-z0-9_]*)
  | (?P<map>@(?:[A-Za-z_][A-Za-z0-9_]*)?)
  | (?P<integer>0[xX][0-9a-fA-F_]*(?:[uU][lL]{0,2}|[lL]{1,2})?
               |[0-9][0-9_]*(?:[eE][0-9_]*)?(?:[num]s|[smhd]|[uU][lL]{0,2}|[lL]{1,2})?)
  | (?P<string>"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+")
  | (?P<parameter>\$[0-9]+)
  | (?P<count>\$\#)
  | (?P<open_string>"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+\\?)
  | (?P<stray>.)
    """,
    re.VERBOSE | re.DOTALL,
)
COMMENT = re.compile(r"//[^\n]*|/\*(?s:.*?)(?:\*/|\Z)")
_LAYOUT = re.compile(rf"(?:[ \t\r\n]+|{COMMENT.pattern})*+")
_WORD = re.compile(r"[A-Za-z0-9_]+")
# What an error without a span of its own points at: a whole word or number, else one character.
_EXTENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9][A-Za-z0-9.]*|[@$][A-Za-z0-9_]*|(?s:.)|")

SYNTAX = "syntax"


class SyntaxAbort(Exception):
    """Unwinds the parser to a place from which it can go on; the error is already in the sink."""


class Lexer:
    """The current token of a source file, and how to get on from it."""

    def __init__(self, source: SourceFile, sink: DiagnosticSink) -> None:
        self.source = source
        self.sink = sink
        self.text = source.text
        self.comments: list[Span] = []
        self._comments_end = 0
        self.has_errors = False
        self._failed_at_end = False
        self.kind = ""
        self.value = ""
        self.start = 0
        self.end = 0
        self.last_end = 0
        """Where the token before the current one ends."""
        self.seek(0)

    # ------------------------------------------------------------------------------------------------ movement

    def seek(self, offset: int) -> None:
        """Makes the first token at or after `offset` the current one."""
        self.last_end = offset
        self.end = offset
        self.advance()

    def advance(self) -> str:
        """Goes to the next token; returns the text of the one left behind."""
        left = self.value
        self.last_end = self.end
        start = self.skip_layout(self.end)
        match = _TOKEN.match(self.text, start)
        self.start = start
        if match is None:
            self.kind, self.value, self.end = "eof", "", start
            return left
        self.value = value = match.group()
        self.end = match.end()
        kind = match.lastgroup
        self.kind = value if kind == "operator" or kind is None else kind
        return left

    def skip_layout(self, offset: int) -> int:
        """The offset of the first character at or after `offset` that is neither white space nor comment."""
        match = _LAYOUT.match(self.text, offset)
        end = match.end() if match is not None else offset
        if end > offset >= self._comments_end and self.text.find("/", offset, end) >= 0:
            self.comments.extend(self.span(*comment.span()) for comment in COMMENT.finditer(self.text, offset, end))
            self._comments_end = end
        return end

    def character(self, offset: int) -> str:
        """The character at `offset`, empty past the end."""
        return self.text[offset : offset + 1]

    # --------------------------------------------------------------------------------------------------- places

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def span_from(self, start: int) -> Span:
        """From `start` to the end of the last token that was taken."""
        return Span(self.source, start, max(start, self.last_end))

    def here(self) -> Span:
        """The current token, as far as an error points at it."""
        match = _EXTENT.match(self.text, self.start)
        return self.span(self.start, match.end() if match is not None else self.start)

    # --------------------------------------------------------------------------------------------------- errors

    def report(self, message: str, span: Span | None = None) -> None:
        """Records an error after which parsing simply goes on."""
        self.has_errors = True
        self.sink.error(SYNTAX, f"syntax: {message}", span or self.here())

    def failure(self, message: str, span: Span | None = None) -> SyntaxAbort:
        """Records an error, and gives what to raise in order to give up the construct at hand.

        What is missing at the end of the file is said once, not again for each construct that is open there.
        """
        if self.kind != "eof" or not self._failed_at_end:
            self.report(message, span)
        self._failed_at_end = self.kind == "eof"
        return SyntaxAbort()

    # --------------------------------------------------------------------------------------------------- tokens

    def take(self, kind: str) -> bool:
        """Takes the current token if it is of this kind."""
        if self.kind != kind:
            return False
        self.advance()
        return True

    def expect(self, kind: str) -> None:
        if self.kind != kind:
            raise self.failure(f"expected '{kind}'")
        self.advance()

    def at_word(self, word: str) -> bool:
        return self.value == word and self.kind == "name"

    def take_word(self, word: str) -> bool:
        if self.value != word or self.kind != "name":
            return False
        self.advance()
        return True

    def expect_name(self, message: str) -> str:
        if self.kind != "name":
            raise self.failure(message)
        return self.advance()

    def trailing_word(self) -> Span | None:
        """The word that follows the current token without a gap, if one does."""
        match = _WORD.match(self.text, self.end)
        return self.span(*match.span()) if match is not None else None
