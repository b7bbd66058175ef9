"""Small decision tables for tests."""

from __future__ import annotations

from xml.sax.saxutils import escape

DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def table(
    id_: str,
    inputs: list[str],
    outputs: list[str],
    rules: list[list[str]],
    *,
    policy: str = "FIRST",
    namespace: str = DMN,
    extra: str = "",
) -> bytes:
    columns = "".join(
        f'<input id="i{n}"><inputExpression><text>{escape(text)}</text></inputExpression></input>'
        for n, text in enumerate(inputs)
    ) + "".join(
        f'<output id="o{n}" name="{name}">{extra}</output>' for n, name in enumerate(outputs)
    )
    rows = ""
    for number, rule in enumerate(rules):
        cells = "".join(
            f"<{'inputEntry' if n < len(inputs) else 'outputEntry'}><text>{escape(cell)}</text>"
            f"</{'inputEntry' if n < len(inputs) else 'outputEntry'}>"
            for n, cell in enumerate(rule)
        )
        rows += f'\n<rule id="r{number}">{cells}</rule>'
    return (
        f'<definitions xmlns="{namespace}" id="d"><decision id="{id_}">'
        f'<decisionTable hitPolicy="{policy}">{columns}{rows}</decisionTable>'
        "</decision></definitions>"
    ).encode()
