"""What the scripts here write into README.md: lines between marks."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
PATH = ROOT / "README.md"


def marks(name: str, script: str) -> tuple[str, str]:
    """Return the lines before and after what a script writes."""
    return f"<!-- {name}: written by benchmarks/{script} -->", f"<!-- /{name} -->"


def rewritten(readme: str, between: tuple[str, str], text: str) -> str:
    """Return README with other lines between the marks."""
    before, begin, rest = readme.partition(between[0])
    _, end, after = rest.partition(between[1])
    if not (begin and end):
        raise SystemExit(f"README.md lacks the lines {between[0]} and {between[1]}")
    return f"{before}{begin}\n{text}\n{end}{after}"


def write(between: tuple[str, str], text: str) -> None:
    """Put text between README's marks."""
    PATH.write_text(rewritten(PATH.read_text(encoding="utf-8"), between, text), encoding="utf-8")
