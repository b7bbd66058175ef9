"""The grammar of FEEL, read straight into closures."""

from __future__ import annotations

from engine.bpmn.feel import nodes
from engine.bpmn.feel.functions import FUNCTIONS
from engine.bpmn.feel.lexer import FeelRefused, text_value
from engine.bpmn.feel.nodes import Value
from engine.bpmn.feel.reader import Reader
from engine.bpmn.feel.values import Context, read_dated

MAX_DEPTH = 60
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_KEYWORDS = frozenset(
    [
        "if",
        "then",
        "else",
        "for",
        "return",
        "in",
        "some",
        "every",
        "satisfies",
        "and",
        "or",
        "between",
    ]
)


def parse_expression(source: str) -> tuple[Value, frozenset[str]]:
    """The closure of an expression, and the names it reads. Raises FeelRefused."""
    parser = _Parser(source)
    made = parser.expression()
    parser.finish()
    return made, frozenset(parser.names)


def parse_unary_tests(source: str) -> tuple[Value, frozenset[str]]:
    """The closure of a cell, and the names it reads. Raises FeelRefused."""
    parser = _Parser(source)
    if source.strip() in ("", "-"):
        return nodes.constant(True), frozenset()
    made = parser.unary_tests()
    parser.finish()
    return made, frozenset(parser.names)


class _Parser(Reader):
    # Expressions

    def expression(self) -> Value:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FeelRefused("…")
        made = self._expression()
        self.depth -= 1
        return made

    def _expression(self) -> Value:
        if self.takes("if"):
            test = self.expression()
            self.expect("then")
            then = self.expression()
            self.expect("else")
            return nodes.choice(test, then, self.expression())
        if self.sees("for"):
            return self._for()
        if self.sees("some", "every"):
            return self._quantified()
        if self.sees("function"):
            self.refuse()
        return self._or()

    def _iterators(self, last: str) -> list[tuple[str, Value]]:
        found = []
        while True:
            name = self.next().text
            self.expect("in")
            domain = self._domain()
            found.append((name, domain))
            self.bound.append(name)
            if not self.takes(","):
                break
        self.expect(last)
        return found

    def _domain(self) -> Value:
        start = self.expression()
        if self.takes(".."):
            return nodes.span(start, self.expression())
        return start

    def _for(self) -> Value:
        self.next()
        iterators = self._iterators("return")
        self.bound.append("partial")
        made = nodes.loop(iterators, self.expression())
        del self.bound[-len(iterators) - 1 :]
        return made

    def _quantified(self) -> Value:
        every = self.next().text == "every"
        iterators = self._iterators("satisfies")
        made = nodes.quantified(iterators, self.expression(), every)
        del self.bound[-len(iterators) :]
        return made

    def _or(self) -> Value:
        left = self._and()
        while self.takes("or"):
            left = nodes.either(left, self._and())
        return left

    def _and(self) -> Value:
        left = self._comparison()
        while self.takes("and"):
            left = nodes.both(left, self._comparison())
        return left

    def _comparison(self) -> Value:
        left = self._additive()
        while True:
            if self.word.kind == "sign" and self.word.text in _COMPARISONS:
                left = nodes.comparison(self.next().text, left, self._additive())
            elif self.takes("between"):
                low = self._additive()
                self.expect("and")
                left = nodes.between(left, low, self._additive())
            elif self.takes("in"):
                left = nodes.inside(left, self._in_tests())
            elif self.sees("instance") and self.follows("of"):
                self.at += 2
                left = nodes.instance_of(left, self._type())
            else:
                return left

    def _type(self) -> str:
        parts: list[str] = []
        while self.word.kind == "name" and self.word.text not in ("or", "then", "else"):
            if self.word.text == "and" and parts not in (["date"], ["days"], ["years"]):
                break
            parts.append(self.next().text)
        return " ".join(parts)

    def _in_tests(self) -> list[Value]:
        if self.sees("("):
            mark = self.at
            self.next()
            try:
                tests = [self.unary_test()]
                while self.takes(","):
                    tests.append(self.unary_test())
                self.expect(")")
            except FeelRefused:
                self.at = mark
            else:
                return tests
        return [self.unary_test()]

    def _additive(self) -> Value:
        left = self._multiplicative()
        while self.word.kind == "sign" and self.word.text in ("+", "-"):
            left = nodes.operation(self.next().text, left, self._multiplicative())
        return left

    def _multiplicative(self) -> Value:
        left = self._power()
        while self.word.kind == "sign" and self.word.text in ("*", "/"):
            left = nodes.operation(self.next().text, left, self._power())
        return left

    def _power(self) -> Value:
        left = self._unary()
        while self.takes("**"):
            left = nodes.operation("**", left, self._unary())
        return left

    def _unary(self) -> Value:
        if self.takes("-"):
            return nodes.negation(self._unary())
        return self._postfix()

    def _postfix(self) -> Value:
        made = self._primary()
        while True:
            if self.sees(".") and self.words[self.at + 1].kind == "name":
                self.next()
                made = nodes.member(made, self._member_name())
            elif self.sees("[") and not self._is_open_range():
                self.next()
                self.bound.append("item")
                inner = self._free_of_names()
                self.bound.pop()
                self.expect("]")
                made = nodes.filtered(made, inner)
            else:
                return made

    def _free_of_names(self) -> Value:
        return self.expression()

    def _member_name(self) -> str:
        name = self.next().text
        if name == "time" and self.sees("offset"):
            name = f"time {self.next().text}"
        return name

    def _is_open_range(self) -> bool:
        """``]a..b[`` ends with a bracket that begins nothing."""
        return self.words[self.at + 1].kind == "end" or self.words[self.at + 1].text in (
            ",",
            ")",
            "and",
            "or",
        )

    # Literals

    def _primary(self) -> Value:
        word = self.word
        if word.kind == "number":
            self.next()
            text = word.text
            return nodes.constant(float(text) if set(text) & set(".eE") else int(text))
        if word.kind == "text":
            self.next()
            return nodes.constant(text_value(word.text))
        if word.kind == "at":
            self.next()
            return nodes.constant(read_dated(text_value(word.text[1:])))
        if word.kind == "name":
            return self._name()
        if self.sees("(", "[", "]"):
            return self._bracketed()
        if self.takes("{"):
            return self._context()
        self.refuse()
        raise AssertionError

    def _bracketed(self) -> Value:
        opening = self.next().text
        if opening == "[" and self.takes("]"):
            return nodes.listed([])
        first = self.expression()
        if self.takes(".."):
            second = self.expression()
            closing = self.next().text
            if closing not in ("]", ")", "["):
                self.at -= 1
                self.refuse()
            return nodes.ranged(first, second, opening == "[", closing == "]")
        if opening == "(":
            self.expect(")")
            return first
        if opening == "]":
            self.refuse()
        items = [first]
        while self.takes(","):
            items.append(self.expression())
        self.expect("]")
        return nodes.listed(items)

    def _context(self) -> Value:
        entries: list[tuple[str, Value]] = []
        while not self.takes("}"):
            if entries:
                self.expect(",")
            parts = []
            while self.word.kind in ("name", "text") and not self.sees(":"):
                word = self.next()
                parts.append(text_value(word.text) if word.kind == "text" else word.text)
            self.expect(":")
            entries.append((" ".join(parts), self.expression()))
            self.bound.append(" ".join(parts))
        if entries:
            del self.bound[-len(entries) :]
        return nodes.context(entries)

    def _name(self) -> Value:
        function = self.function_name()
        if function is not None:
            return self._call(function)
        name = self.next().text
        if name in ("true", "false", "null"):
            return nodes.constant({"true": True, "false": False, "null": None}[name])
        if name in _KEYWORDS:
            self.at -= 1
            self.refuse()
        if self.sees("("):
            raise FeelRefused(f"{name}()")
        if name == "?":
            self.asked = True
            return nodes.given
        if name not in self.bound:
            self.names.add(name)
        return nodes.variable(name)

    def _call(self, name: str) -> Value:
        start = self.at
        positional: list[Value] = []
        named: dict[str, Value] = {}
        while not self.takes(")"):
            if positional or named:
                self.expect(",")
            parameter = self.parameter_name()
            if parameter is not None:
                named[parameter] = self.expression()
            else:
                positional.append(self.expression())
        words_of_cell = self._words_of_cell(name, positional, start)
        if words_of_cell is not None:
            return words_of_cell
        function, parameters, required = FUNCTIONS[name]
        if named:
            if positional or not set(named) <= set(parameters):
                raise FeelRefused(f"{name}()")
            positional = [named.get(each, nodes.constant(None)) for each in parameters]
            while len(positional) > required and parameters[len(positional) - 1] not in named:
                positional.pop()
        most = len(parameters) if parameters and name not in _DATED else 99
        if not required <= len(positional) <= most:
            raise FeelRefused(f"{name}()")
        return nodes.call(function, positional)

    # Cells

    def unary_tests(self) -> Value:
        self.cell = True
        tests = [self.unary_test()]
        while self.takes(","):
            tests.append(self.unary_test())
        return nodes.any_of(tests)

    def unary_test(self) -> Value:
        """One test of the cell's input: ``< 5``, a range, a value, or an expression over ``?``."""
        if self.word.kind == "sign" and self.word.text in _COMPARISONS:
            return nodes.comparison(self.next().text, nodes.given, self._additive())
        negated = self._negated()
        if negated is not None:
            return negated
        asked, self.asked = self.asked, False
        start, names = self.at, len(self.names)
        made = self.expression()
        if not self.asked:
            alone = len(self.names) == names and not self.bound
            if alone and self.words[start].text != "null" and made(Context({})) is None:
                # ``date("tomorrow")`` is null and would never fit, in silence.
                self.at = start
                self.refuse()
            made = nodes.fits(made)
        self.asked = asked or self.asked
        return made

    def _negated(self) -> Value | None:
        """``not(…)`` around tests, unless it is part of a larger expression."""
        if not (self.sees("not") and self.follows("(")):
            return None
        mark = self.at
        self.at += 2
        tests = [self.unary_test()]
        while self.takes(","):
            tests.append(self.unary_test())
        self.expect(")")
        if self.word.kind == "end" or self.sees(",", ")"):
            return nodes.negated(tests)
        self.at = mark
        return None

    def _words_of_cell(self, name: str, arguments: list[Value], start: int) -> Value | None:
        """``contains("a", "b")`` in a cell: whether the input has any of the words in it."""
        inside = self.words[start : self.at - 1]
        if not self.cell or name != "contains" or any(word.text == "?" for word in inside):
            return None
        if not inside or any(word.kind != "text" and word.text != "," for word in inside):
            raise FeelRefused(f"{name}()")
        if any(word.text == '""' for word in inside):
            raise FeelRefused(f"{name}()")
        self.asked = True
        return nodes.containing(arguments)


_DATED = frozenset({"date", "time", "date and time"})
