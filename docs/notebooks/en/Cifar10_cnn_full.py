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
# # A convolutional network for CIFAR-10, step by step
#
# The slides' script, cell by cell: load the images, look at them, bring them into shape, build the
# network, train it, keep its best weights, test it. The names are Keras's; the slides' own code,
# written for Keras 2, also runs as it stands with
# `python -m pyconv.compat examples/course_deck.py`.

# %%
import matplotlib.pyplot as plt
import numpy as np

import pyconv
from pyconv import viz
from pyconv.callbacks import ModelCheckpoint
from pyconv.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from pyconv.models import Sequential

# %% [markdown]
# ## 1. Load CIFAR-10
#
# 60,000 colour images of 32x32 pixels in ten classes: 50,000 to train on and 10,000 to test with.
# `load` takes CIFAR-10 where it finds or can download it, else ten classes of drawn shapes, so
# that the notebook runs without a network too. It says which.

# %%
data = pyconv.datasets.load()
x_train, y_train = data.x_train, data.y_train
x_test, y_test = data.x_test, data.y_test
print(data.why)
print(x_train.shape, x_train.dtype, y_train.shape)

# %% [markdown]
# ## 2. Look at the first 36 training images
#
# An array `(H, W, 3)` of 0 to 255 is an image for matplotlib as it is.

# %%
fig = plt.figure(figsize=(20, 5.6), layout="constrained")
for i in range(36):
    ax = fig.add_subplot(3, 12, i + 1, xticks=[], yticks=[])
    ax.imshow(np.squeeze(x_train[i]))
    ax.set_title(data.class_names[y_train[i]])
plt.show()

# %% [markdown]
# ## 3. Rescale the pixels
#
# Dividing by 255 brings every pixel to the range from 0 to 1. Networks begin with small weights,
# and learn faster where their inputs are of the size of 1.

# %%
x_train = x_train.astype("float32") / 255
x_test = x_test.astype("float32") / 255

# %% [markdown]
# ## 4. Training, validation and test sets
#
# *One-hot* labels: class 3 becomes `0 0 0 1 0 0 0 0 0 0`, what a perfect network would put out.
# The first 5,000 training images (a tenth of a smaller set) are set aside to *validate* on: the
# network does not learn from them, and they tell after each epoch how good it is at images that it
# has not seen. The test images are for the very end, and are used once.

# %%
num_classes = len(data.class_names)
y_train = pyconv.utils.to_categorical(y_train, num_classes)
y_test = pyconv.utils.to_categorical(y_test, num_classes)

count = min(5000, len(x_train) // 10)
x_train, x_valid = x_train[count:], x_train[:count]
y_train, y_valid = y_train[count:], y_train[:count]

print("x_train shape:", x_train.shape)
print(x_train.shape[0], "train samples")
print(x_test.shape[0], "test samples")
print(x_valid.shape[0], "validation samples")

# %% [markdown]
# ## 5. The architecture
#
# First only the convolutions. Each has twice as many filters as the one before; 'same' padding
# keeps the size. Parameters: $2 \cdot 2 \cdot 3 \cdot 16 + 16 = 208$, then
# $2 \cdot 2 \cdot 16 \cdot 32 + 32 = 2080$, then 8256.

# %%
model = Sequential()
model.add(
    Conv2D(filters=16, kernel_size=2, padding="same", activation="relu", input_shape=(32, 32, 3))
)
model.add(Conv2D(filters=32, kernel_size=2, padding="same", activation="relu"))
model.add(Conv2D(filters=64, kernel_size=2, padding="same", activation="relu"))
model.summary()
assert model.count_params() == 10_544

# %% [markdown]
# With a pooling layer behind each convolution the maps shrink, 32 to 16 to 8 to 4, while their
# number grows, 3 to 16 to 32 to 64: from much information on *where* to much information on
# *what*. The number of parameters is the same: pooling has none.

# %%
model = Sequential()
model.add(
    Conv2D(filters=16, kernel_size=2, padding="same", activation="relu", input_shape=(32, 32, 3))
)
model.add(MaxPooling2D(pool_size=2))
model.add(Conv2D(filters=32, kernel_size=2, padding="same", activation="relu"))
model.add(MaxPooling2D(pool_size=2))
model.add(Conv2D(filters=64, kernel_size=2, padding="same", activation="relu"))
model.add(MaxPooling2D(pool_size=2))
model.summary()
assert model.count_params() == 10_544
assert model.output_shape == (None, 4, 4, 64)

# %% [markdown]
# The whole network: the maps are laid out as one vector of $4 \cdot 4 \cdot 64 = 1024$ numbers
# (`Flatten`), from which two dense layers tell the class. `Dropout` switches off a share of the
# numbers at each training step, other ones each time, so that the network does not rely on single
# ones. Nearly all of the 528,054 parameters are in the first dense layer.
#
# The seed makes the run repeatable: the same seed gives the same weights, to the last bit.

# %%
pyconv.utils.set_random_seed(0)

model = Sequential()
model.add(
    Conv2D(filters=16, kernel_size=2, padding="same", activation="relu", input_shape=(32, 32, 3))
)
model.add(MaxPooling2D(pool_size=2))
model.add(Conv2D(filters=32, kernel_size=2, padding="same", activation="relu"))
model.add(MaxPooling2D(pool_size=2))
model.add(Conv2D(filters=64, kernel_size=2, padding="same", activation="relu"))
model.add(MaxPooling2D(pool_size=2))
model.add(Dropout(0.3))
model.add(Flatten())
model.add(Dense(500, activation="relu"))
model.add(Dropout(0.4))
model.add(Dense(num_classes, activation="softmax"))
model.summary()
assert model.count_params() == 528_054

# %% [markdown]
# ## 6. Compile the model
#
# The *loss* is what training makes small: the cross-entropy between the ten numbers of the network
# and the one-hot label. It begins near $\ln 10 = 2.30$, that of guessing. The *optimizer* says how
# the weights follow its gradient, and the *metric* is what we want to read.

# %%
model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])

# %% [markdown]
# ## 7. Train the model
#
# Five epochs: each image is seen five times, 32 at a step. After each epoch `ModelCheckpoint`
# saves the model if its loss on the validation images is the least so far. Training for long makes
# a network good at its training images and no better at others; the saved model is from before
# that.

# %%
checkpointer = ModelCheckpoint(filepath="model.weights.best.hdf5", verbose=1, save_best_only=True)
hist = model.fit(
    x_train,
    y_train,
    batch_size=32,
    epochs=5,
    validation_data=(x_valid, y_valid),
    callbacks=[checkpointer],
    verbose=2,
    shuffle=True,
)

# %%
viz.learning_curves(hist.history)

# %% [markdown]
# ## 8. Load the best weights
#
# Those with the least validation *loss*, which is what `ModelCheckpoint` watches unless it is told
# otherwise; often, but not always, it is also the epoch of the best accuracy.

# %%
model.load_weights("model.weights.best.hdf5")

# %% [markdown]
# ## 9. Accuracy on the test set
#
# With CIFAR-10 expect about 0.64; guessing would give 0.10.

# %%
score = model.evaluate(x_test, y_test, verbose=0)
print("Test accuracy:", score[1])

# %% [markdown]
# ## Which classes are mixed up?
#
# Row: the true class, column: what the network said. Cats and dogs, cars and lorries, and birds
# and aeroplanes (both in front of the sky) are the classic mistakes.

# %%
predicted = model.predict(x_test, verbose=0).argmax(axis=1)
viz.confusion_matrix(y_test.argmax(axis=1), predicted, data.class_names)

# %% [markdown]
# ## Where is it most wrong?
#
# The images about which the network is most sure and yet wrong: above each its answer with the
# probability, and the true class. Some are hard for people too.

# %%
viz.worst_mistakes(model, x_test, y_test, data.class_names, count=12)

# %% [markdown]
# ## What do the filters see?
#
# The 16 filters of the first convolution and their maps for one image, as in the slides' figure:
# each filter answers, at every place, how much of its pattern is there. After training some react
# to edges, others to colours or to bright areas.

# %%
viz.activations(model, x_test[0])

# %% [markdown]
# ## Try it
#
# 1. Leave out the two `Dropout` layers. How do the curves of training and validation drift apart?
# 2. `epochs=30`: which epoch is the best one, and what does the loss do after it?
# 3. 3x3 filters instead of 2x2: how many parameters more, and how much accuracy?
# 4. The MLP of the next notebook, on the same images.
