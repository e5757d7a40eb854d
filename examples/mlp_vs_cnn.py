"""The course's task: which is the better network for CIFAR-10, the MLP or the CNN?

    python examples/mlp_vs_cnn.py [EPOCHS]

The same as `pyconv compare`, in a few lines that can be changed: other networks, other data.
"""

import sys

import pyconv
from pyconv import zoo
from pyconv.comparison import compare

# CIFAR-10 where it is found or can be downloaded, else drawn shapes.
data = pyconv.datasets.load()
print(data.why)

result = compare(
    data,
    {"MLP": zoo.deck_mlp, "CNN": zoo.deck_cnn},
    epochs=int(sys.argv[1]) if len(sys.argv) > 1 else 5,
    batch_size=32,
    optimizer="rmsprop",
    seed=0,
)
print(result.table())

mlp, cnn = result["MLP"], result["CNN"]
print(f"The CNN has {mlp.parameters / cnn.parameters:.1f} times fewer parameters than the MLP,")
print(f"and gains {cnn.test_accuracy - mlp.test_accuracy:+.1%} of accuracy on the test images.")

result.figure().savefig("mlp_vs_cnn.png", dpi=120)
print("curves: mlp_vs_cnn.png")
