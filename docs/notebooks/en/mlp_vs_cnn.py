# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # MLP against CNN
#
# **Task.** Compare a multilayer perceptron (MLP) and a convolutional network (CNN) on CIFAR-10.
#
# Both get the same images, the same split, batches, optimizer and number of epochs. The MLP sees
# an image as a list of 3072 numbers and knows nothing of neighbours; the CNN looks through small
# windows that it slides over the image. Which one is better, by how much, and *why*?

# %%
import dataclasses

import numpy as np

import pyconv
from pyconv import zoo
from pyconv.comparison import compare

data = pyconv.datasets.load()
print(data.why)

# %% [markdown]
# ## The two networks
#
# `zoo.deck_mlp` and `zoo.deck_cnn` are those of the slides. The MLP: `Flatten`, 1000 and 512 units
# with dropout, softmax. The CNN: three times convolution and pooling, 500 units, softmax.

# %%
mlp = zoo.deck_mlp(data.input_shape, len(data.class_names))
cnn = zoo.deck_cnn(data.input_shape, len(data.class_names))
mlp.summary()
cnn.summary()

# %% [markdown]
# Where are the parameters, and where is the arithmetic? A dense layer uses each weight once an
# image. A convolution uses each of its weights at every place of the image: few parameters, much
# arithmetic. One multiplication and one addition are counted as two operations.

# %%
for model in (mlp, cnn):
    for layer in model.layers:
        if layer.weights:
            operations = layer.flops(layer.input_shape)
            print(f"{layer.name:10s} {layer.count_params():10,} {operations:12,}")
    print(f"{'':10s} {model.count_params():10,}\n")
assert (mlp.count_params(), cnn.count_params()) == (3_590_642, 528_054)

# %% [markdown]
# ## Train both
#
# `compare` trains the networks one after the other, keeps the weights of each one's best epoch
# (that of the least validation loss), and tests these. On CIFAR-10 it takes one or two minutes. In
# a shell it is `pyconv compare`.

# %%
networks = {"MLP": zoo.deck_mlp, "CNN": zoo.deck_cnn}
result = compare(data, networks, epochs=5, batch_size=32, seed=0, verbose=2)

# %%
print(result.table())

# %%
result.figure()

# %% [markdown]
# With CIFAR-10 the MLP reaches about 0.40 on the test images and the CNN about 0.64, with a
# seventh of the parameters. Two things to see in the curves: the CNN is ahead after the first
# epoch already, and the validation curves may lie *above* those of training, as dropout is
# switched off when validating.
#
# ## Which classes gain most?

# %%
x_test = data.x_test / np.float32(255)
right = {
    entry.name: entry.model.predict(x_test, verbose=0).argmax(axis=1) == data.y_test
    for entry in result.entries
}
print(f"{'':12s} {'MLP':>6s} {'CNN':>6s}")
for number, name in enumerate(data.class_names):
    of_class = data.y_test == number
    shares = [right[network][of_class].mean() for network in ("MLP", "CNN")]
    print(f"{name:12s} {shares[0]:6.2f} {shares[1]:6.2f}")

# %% [markdown]
# ## Why? An experiment
#
# The CNN assumes that *neighbouring pixels belong together* and that *a pattern means the same
# wherever it is*. Take away the first and see: shuffle the pixels, all images in the same way. No
# information is lost, as the shuffle could be undone; for the MLP nothing changes but chance,
# because it never knew which pixels are neighbours. For the CNN everything does.

# %%
order = np.random.default_rng(0).permutation(data.input_shape[0] * data.input_shape[1])


def shuffled(images):
    pixels = images.reshape(len(images), -1, images.shape[-1])
    return pixels[:, order].reshape(images.shape)


mixed = dataclasses.replace(
    data, name="shuffled", x_train=shuffled(data.x_train), x_test=shuffled(data.x_test)
)
after = compare(mixed, networks, epochs=5, batch_size=32, seed=0, verbose=0)
print(after.table())

# %%
for name in networks:
    print(f"{name} {result[name].test_accuracy:.3f} -> {after[name].test_accuracy:.3f}")

# %% [markdown]
# On CIFAR-10 the CNN falls from 0.64 to 0.43, and the MLP from 0.40 to 0.37, hardly more than
# another seed changes. Most of the CNN's lead is gone: what made it better was not its size but
# what it takes for granted about images. That is called an *inductive bias*.
#
# ## Try it
#
# 1. `compare` takes networks of your own: a function of the input shape and the number of classes
#    that returns a model. Give the MLP 100 units in place of 1000, or the CNN a fourth
#    convolution.
# 2. How few parameters can a CNN have and still beat this MLP?
# 3. Does an MLP with more units catch up? What happens to its training accuracy?
