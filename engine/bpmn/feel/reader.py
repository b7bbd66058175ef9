"""Going through the words of an expression one by one."""

from __future__ import annotations

from engine.bpmn.feel.functions import FUNCTIONS
from engine.bpmn.feel.lexer import FeelRefused, Word, words

_LONGEST_NAME = 5


class Reader:
    """The words of a source, and where in it one is."""

    def __init__(self, source: str) -> None:
        self.source, self.words, self.at = source, words(source), 0
        self.names: set[str] = set()
        self.bound: list[str] = []
        self.depth = 0
        self.cell = False
        self.asked = False
        """Whether the test that is being read speaks of the cell's input itself."""

    @property
    def word(self) -> Word:
        return self.words[self.at]

    def next(self) -> Word:
        word = self.words[self.at]
        if word.kind == "end":
            self.refuse()
        self.at += 1
        return word

    def sees(self, *texts: str) -> bool:
        return self.word.kind in ("sign", "name") and self.word.text in texts

    def takes(self, *texts: str) -> bool:
        if self.sees(*texts):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.takes(text):
            self.refuse()

    def refuse(self) -> None:
        raise FeelRefused(
            self.source[self.word.at : self.word.at + 40].strip() or self.source[-40:]
        )

    def finish(self) -> None:
        if self.word.kind != "end":
            self.refuse()

    def follows(self, text: str) -> bool:
        return self.words[self.at + 1].text == text

    def function_name(self) -> str | None:
        """The built-in function whose name, of one or more words, stands here before a bracket."""
        parts: list[str] = []
        for offset in range(_LONGEST_NAME):
            word = self.words[min(self.at + offset, len(self.words) - 1)]
            if word.kind != "name":
                break
            parts.append(word.text)
        for count in range(len(parts), 0, -1):
            name = " ".join(parts[:count])
            if name in FUNCTIONS and self.words[self.at + count].text == "(":
                self.at += count + 1
                return name
        return None

    def parameter_name(self) -> str | None:
        parts: list[str] = []
        at = self.at
        while self.words[at].kind == "name":
            parts.append(self.words[at].text)
            at += 1
        if parts and self.words[at].text == ":":
            self.at = at + 1
            return " ".join(parts)
        return None
