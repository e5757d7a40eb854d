"""The course's code as its slides have it: an MLP and a CNN on CIFAR-10, written for Keras 2.

    python -m pyconv.compat examples/course_deck.py

Two misprints are mended: ``yticks[]`` is ``yticks=[]``, and the notebook's magic is left out.
``MPLBACKEND=Agg`` keeps matplotlib from opening a window.
"""

# 1. Load CIFAR-10 Database
import keras
from keras.datasets import cifar10

# load the pre-shuffled train and test data
(x_train, y_train), (x_test, y_test) = cifar10.load_data()

# 2. Visualize the first 24 training images
import numpy as np
import matplotlib.pyplot as plt

fig = plt.figure(figsize=(20,5))
for i in range(36):
    ax = fig.add_subplot(3, 12, i + 1, xticks=[], yticks=[])
    ax.imshow(np.squeeze(x_train[i]))

# 3. Rescale the images by dividing every pixel in every image by 255
# rescale [0,255] --> [0,1]
x_train = x_train.astype('float32')/255
x_test = x_test.astype('float32')/255

# 4. Break dataset into Training, Testing, and Validation sets
from keras.utils import np_utils

# one-hot encode the labels
num_classes = len(np.unique(y_train))
y_train = keras.utils.to_categorical(y_train, num_classes)
y_test = keras.utils.to_categorical(y_test, num_classes)

# break training set into training and validation sets
(x_train, x_valid) = x_train[5000:], x_train[:5000]
(y_train, y_valid) = y_train[5000:], y_train[:5000]

# print shape of training set
print('x_train shape:', x_train.shape)

# print number of training, validation, and test images
print(x_train.shape[0], 'train samples')
print(x_test.shape[0], 'test samples')
print(x_valid.shape[0], 'validation samples')

# MLP
# 5. Define the model architecture
from keras.models import Sequential
from keras.layers import Dense, Dropout, Flatten

# define the model
model = Sequential()
model.add(Flatten(input_shape = x_train.shape[1:]))
model.add(Dense(1000, activation='relu'))
model.add(Dropout(0.2))
model.add(Dense(512, activation='relu'))
model.add(Dropout(0.2))
model.add(Dense(num_classes, activation='softmax'))

model.summary()

# 6. Compile the model
# compile the model
model.compile(loss='categorical_crossentropy', optimizer='rmsprop',
                metrics=['accuracy'])

# 7. Train the model
from keras.callbacks import ModelCheckpoint

# train the model
checkpointer = ModelCheckpoint(filepath='model.weights.best.hdf5', verbose=1,
                              save_best_only=True)
hist = model.fit(x_train, y_train, batch_size=32, epochs=5,
                  validation_data=(x_valid, y_valid), callbacks=[checkpointer],
                  verbose=2, shuffle=True)

# 8. Load the model with the best classification accuracy on the validation set
# load the weights that yielded the best validation accuracy
model.load_weights('model.weights.best.hdf5')

# 9. Calculate classification accuracy on test set
# evaluate and print test accuracy
score = model.evaluate(x_test, y_test, verbose=0)
print('\n', 'Test accuracy:', score[1])

# CNN
# 5. Define the model architecture
from keras.models import Sequential
from keras.layers import Conv2D, MaxPooling2D, Flatten, Dense, Dropout

model = Sequential()
model.add(Conv2D(filters=16, kernel_size=2, padding='same', activation='relu',
                 input_shape=(32, 32, 3)))
model.add(MaxPooling2D(pool_size=2))
model.add(Conv2D(filters=32, kernel_size=2, padding='same', activation='relu'))
model.add(MaxPooling2D(pool_size=2))
model.add(Conv2D(filters=64, kernel_size=2, padding='same', activation='relu'))
model.add(MaxPooling2D(pool_size=2))
model.add(Dropout(0.3))
model.add(Flatten())
model.add(Dense(500, activation='relu'))
model.add(Dropout(0.4))
model.add(Dense(10, activation='softmax'))

model.summary()

# 6. Compile the model
# compile the model
model.compile(loss='categorical_crossentropy', optimizer='rmsprop',
                metrics=['accuracy'])

# 7. Train the model
from keras.callbacks import ModelCheckpoint

# train the model
checkpointer = ModelCheckpoint(filepath='model.weights.best.hdf5', verbose=1,
                              save_best_only=True)
hist = model.fit(x_train, y_train, batch_size=32, epochs=5,
                  validation_data=(x_valid, y_valid), callbacks=[checkpointer],
                  verbose=2, shuffle=True)

# 8. Load the model with the best classification accuracy on the validation set
# load the weights that yielded the best validation accuracy
model.load_weights('model.weights.best.hdf5')

# 9. Calculate classification accuracy on test set
# evaluate and print test accuracy
score = model.evaluate(x_test, y_test, verbose=0)
print('\n', 'Test accuracy:', score[1])
