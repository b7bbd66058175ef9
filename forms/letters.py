"""Letters: checked at publish, rendered in a process of their own that has nothing to give away."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.meta import find_undeclared_variables

from engine.domain.ports import Form, RenderedLetter
from engine.domain.process import Finding
from engine.kernel.errors import EngineError
from forms import letter_jail

MAX_BYTES = 50_000
SECONDS = 3.0
LETTERS_A_PROCESS = 500
KNOWN = frozenset({"case", "applicant", "data", "department", "office", "today"})


class LetterFailed(EngineError):
    """A letter could not be rendered."""

    code = "letter_failed"


class JailedLetters:
    """Satisfies `engine.domain.ports.Letters` with a warm process, replaced when it fails."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._rendered = 0

    def check_letter(self, file: str, content: bytes) -> list[Finding]:
        """What is wrong in a letter's template, with its line."""
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            return [Finding("letter_unreadable", file, params={"reason": "UTF-8"})]
        if len(content) > MAX_BYTES or not text.strip():
            return [Finding("letter_unreadable", file, params={"reason": f"1–{MAX_BYTES} bytes"})]
        environment = letter_jail.environment()
        try:
            tree = environment.parse(text)
        except TemplateSyntaxError as error:
            reason = {"reason": str(error.message)}
            return [Finding("letter_unreadable", file, line=error.lineno, params=reason)]
        findings = [
            Finding(
                "letter_part_refused",
                file,
                line=node.lineno,
                params={"part": type(node).__name__.lower()},
            )
            for node in tree.find_all(letter_jail.REFUSED)
        ]
        for used in tree.find_all(nodes.Filter):
            if used.name not in environment.filters:
                name = {"name": used.name}
                findings.append(
                    Finding("letter_filter_unknown", file, line=used.lineno, params=name)
                )
        if findings:
            return findings
        return [
            Finding("letter_name_unknown", file, params={"name": name})
            for name in sorted(find_undeclared_variables(tree) - KNOWN)
        ]

    def render(
        self, template: str, context: Mapping[str, Any], locale: str, forms: Mapping[str, Form]
    ) -> RenderedLetter:
        """The letter's subject (first line with text) and body. Raises LetterFailed."""
        request = {
            "template": template,
            "context": _tagged(context),
            "locale": locale,
            "texts": {key: form["text"].get(locale, {}) for key, form in forms.items()},
        }
        with self._lock:
            answer = self._ask(json.dumps(request).encode() + b"\n")
        if "text" not in answer:
            raise LetterFailed(reason=str(answer.get("error")))
        subject, _, body = answer["text"].strip().partition("\n")
        return RenderedLetter(subject.strip(), body.strip())

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._stop()

    def _ask(self, line: bytes) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
        try:
            process.stdin.write(line)
            process.stdin.flush()
            answer = _read_line(process.stdout.fileno())
        except (OSError, TimeoutError) as error:
            self._stop()
            return {"error": f"the letter took too long or too much ({type(error).__name__})"}
        self._rendered += 1
        if self._rendered >= LETTERS_A_PROCESS:
            self._stop()
        if not answer:
            self._stop()
            return {"error": "the letter took too much memory"}
        made: dict[str, Any] = json.loads(answer)
        return made

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._stop()
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(Path(letter_jail.__file__).resolve())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"},
                close_fds=True,
            )
        return self._process

    def _stop(self) -> None:
        process, self._process, self._rendered = self._process, None, 0
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue


def _read_line(descriptor: int) -> bytes:
    """One line from the process. Raises TimeoutError after `SECONDS`."""
    pieces = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not pieces.endswith(b"\n"):
            if not selector.select(SECONDS):
                raise TimeoutError
            piece = os.read(descriptor, 65_536)
            if not piece:
                return b""
            pieces += piece
    return pieces


def _tagged(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _tagged(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_tagged(each) for each in value]
    if isinstance(value, date):
        return {"__date__": value.isoformat()}
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
