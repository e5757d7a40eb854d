"""README's example of `summary(profile=True)`: the course's CNN, from a run on this machine."""

import argparse
import subprocess
import sys

import readme

MARKS = readme.marks("profile", "profile_step.py")
MEASURE = """
from pyconv import zoo
model = zoo.deck_cnn()
model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
model.summary(profile=True, batch_size=32, line_length=88)
"""


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    output = subprocess.run(
        [sys.executable, "-c", MEASURE], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    text = block(output)
    readme.write(MARKS, text)
    print(text)


def block(output: str) -> str:
    """Return README's lines for what `summary` printed, without the table of layers."""
    lines = output.rstrip().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Profile of "))
    return "\n".join(["", "```text", *(line.rstrip() for line in lines[start:]), "```", ""])


if __name__ == "__main__":
    main()
