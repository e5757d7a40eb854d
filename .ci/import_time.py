"""Fail where `import pyconv` costs more milliseconds over `import numpy` than allowed."""

import statistics
import subprocess
import sys
import time


def seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


differences = [seconds("import numpy, pyconv") - seconds("import numpy") for _ in range(11)]
cost = 1000 * statistics.median(differences)
print(f"import pyconv: {cost:.0f} ms over numpy")
sys.exit(cost > float(sys.argv[1]))
