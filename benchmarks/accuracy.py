"""Accuracy on CIFAR-10 of the course's two networks, trained by pyconv and by PyTorch.

Both train on 45,000 images and validate on 5,000, with batches of 32, RMSprop (epsilon inside the
root, as Keras has it), glorot uniform weights and the same dropout. Only the random numbers differ.
A run that the JSON file has already is not repeated, so that long comparisons can be cut up.
"""

import argparse
import csv
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import readme

MARKS = readme.marks("accuracy", "accuracy.py")
TITLES = {"pyconv": "pyconv", "torch": "PyTorch"}

Run = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", metavar="PATH", help="CIFAR-10, as `pyconv train --data` takes it"
    )
    parser.add_argument("--models", nargs="+", choices=("cnn", "mlp"), default=["cnn", "mlp"])
    parser.add_argument("--frameworks", nargs="+", choices=tuple(TITLES), default=list(TITLES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", type=Path, default=Path("accuracy.json"))
    parser.add_argument("--write-readme", action="store_true", help="rewrite README's table")
    arguments = parser.parse_args()

    runs: list[Run] = json.loads(arguments.json.read_text()) if arguments.json.exists() else []
    done = {(run["framework"], run["model"], run["seed"], run["epochs"]) for run in runs}
    train = {"pyconv": train_pyconv, "torch": train_torch}
    for model in arguments.models:
        for seed in arguments.seeds:
            for framework in arguments.frameworks:
                if (framework, model, seed, arguments.epochs) in done:
                    continue
                result = train[framework](model, seed, arguments.epochs, arguments.data)
                setting = {"framework": framework, "model": model, "seed": seed}
                runs.append({**setting, "epochs": arguments.epochs, **result})
                arguments.json.write_text(json.dumps(runs, indent=1) + "\n")
                print(f"{runs[-1]}", flush=True)
    text = table([run for run in runs if run["epochs"] == arguments.epochs])
    print(text)
    if arguments.write_readme:
        write_readme(text, arguments.epochs)


def train_pyconv(model: str, seed: int, epochs: int, data: str | None) -> Run:
    """Run `pyconv train`, and read what it wrote."""
    command = [sys.executable, "-m", "pyconv", "train", "--dataset", "cifar10", "--model", model]
    command += ["--seed", str(seed), "--epochs", str(epochs)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "run")
        start = time.perf_counter()
        output = subprocess.run(
            [*command, "--out", str(out), *(["--data", data] if data else [])],
            check=True,
            capture_output=True,
            text=True,
            cwd=folder,
        ).stdout
        seconds = time.perf_counter() - start
        with open(out / "history.csv", newline="") as file:
            rows = list(csv.DictReader(file))
    found = re.search(r"test accuracy: ([0-9.]+)", output)
    assert found, output
    return {
        "val_loss": [float(row["val_loss"]) for row in rows],
        "val_accuracy": [float(row["val_accuracy"]) for row in rows],
        "test_accuracy": float(found[1]),
        "seconds": round(seconds, 1),
    }


def train_torch(model: str, seed: int, epochs: int, data: str | None) -> Run:
    """Train the same network in PyTorch; the weights of the least validation loss are tested."""
    import torch
    from torch.nn import functional

    from pyconv.datasets import cifar10

    torch.manual_seed(seed)
    (x, y), (x_test, y_test) = (
        (
            torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255),
            torch.from_numpy(labels).reshape(-1).long(),
        )
        for images, labels in cifar10.load_data(data)
    )
    x_val, y_val, x, y = x[:5000], y[:5000], x[5000:], y[5000:]
    network = torch_network(model).to(memory_format=torch.channels_last)
    parameters = list(network.parameters())
    means = [torch.zeros_like(p) for p in parameters]

    def measure(images: Any, labels: Any) -> tuple[float, float]:
        network.eval()
        with torch.no_grad():
            logits = torch.cat([network(part) for part in images.split(500)])
        loss = float(functional.cross_entropy(logits, labels))
        return loss, float((logits.argmax(1) == labels).float().mean())

    start = time.perf_counter()
    losses: list[float] = []
    accuracies: list[float] = []
    test_accuracy = 0.0
    for _ in range(epochs):
        network.train()
        for rows in torch.randperm(len(x)).split(32):
            loss = functional.cross_entropy(network(x[rows]), y[rows])
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                # Keras's rule: v = 0.9 v + 0.1 g^2, w -= 0.001 g / sqrt(v + 1e-7).
                torch._foreach_mul_(means, 0.9)
                torch._foreach_addcmul_(means, gradients, gradients, 0.1)
                roots = torch._foreach_add(means, 1e-7)
                torch._foreach_sqrt_(roots)
                torch._foreach_addcdiv_(parameters, gradients, roots, -0.001)
        loss_val, accuracy = measure(x_val, y_val)
        losses.append(loss_val)
        accuracies.append(round(accuracy, 4))
        if loss_val == min(losses):
            test_accuracy = round(measure(x_test, y_test)[1], 4)
    return {
        "val_loss": losses,
        "val_accuracy": accuracies,
        "test_accuracy": test_accuracy,
        "seconds": round(time.perf_counter() - start, 1),
    }


def torch_network(model: str) -> Any:
    """Return `pyconv.zoo.deck_cnn` or `deck_mlp` as a torch module."""
    from torch import nn

    layers: list[Any] = []
    if model == "cnn":
        for channels, filters in ((3, 16), (16, 32), (32, 64)):
            # TensorFlow's 'same' for a 2x2 filter: one more row below and one column to the right.
            layers += [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(channels, filters, 2), nn.ReLU()]
            layers.append(nn.MaxPool2d(2))
        layers += [nn.Dropout(0.3), nn.Flatten(), nn.Linear(1024, 500), nn.ReLU()]
        layers += [nn.Dropout(0.4), nn.Linear(500, 10)]
    else:
        layers += [nn.Flatten(), nn.Linear(3072, 1000), nn.ReLU(), nn.Dropout(0.2)]
        layers += [nn.Linear(1000, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 10)]
    network = nn.Sequential(*layers)
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return network


def table(runs: list[Run]) -> str:
    """Return the runs as a table in Markdown: means and, in brackets, the least and the most."""
    lines = [
        "| network | library | runs | validation, last epoch | validation, best epoch | test |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for model in ("cnn", "mlp"):
        for framework, title in TITLES.items():
            chosen = [r for r in runs if (r["model"], r["framework"]) == (model, framework)]
            if chosen:
                cells = (
                    spread([run["val_accuracy"][-1] for run in chosen]),
                    spread([kept(run) for run in chosen]),
                    spread([run["test_accuracy"] for run in chosen]),
                )
                lines.append(f"| {model.upper()} | {title} | {len(chosen)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def kept(run: Run) -> float:
    """Return the validation accuracy of the epoch with the least loss: that of the checkpoint."""
    losses = run["val_loss"]
    accuracy: float = run["val_accuracy"][losses.index(min(losses))]
    return accuracy


def spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def write_readme(text: str, epochs: int) -> None:
    """Put the table between README's marks."""
    intro = (
        f"Accuracy after {epochs} epochs: the mean over the seeds (least to most). The best epoch "
        "is that of the least\nvalidation loss, whose checkpoint is kept and tested:"
    )
    readme.write(MARKS, f"{intro}\n\n{text}")


if __name__ == "__main__":
    main()
