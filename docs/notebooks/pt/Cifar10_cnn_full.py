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
# # Uma rede convolutiva para o CIFAR-10, passo a passo
#
# O script dos slides, célula por célula: carregar as imagens, olhar para elas, prepará-las, montar
# a rede, treinar, guardar os melhores pesos e testar. Os nomes são os do Keras; o código dos
# próprios slides, escrito para o Keras 2, também roda como está com
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
# ## 1. Carregar o CIFAR-10
#
# 60.000 imagens coloridas de 32x32 pixels em dez classes: 50.000 para treinar e 10.000 para
# testar. `load` usa o CIFAR-10 se o encontra ou consegue baixá-lo; senão, dez classes de formas
# desenhadas, para que o notebook rode também sem internet. Ela diz qual usou.

# %%
data = pyconv.datasets.load()
x_train, y_train = data.x_train, data.y_train
x_test, y_test = data.x_test, data.y_test
print(data.why)
print(x_train.shape, x_train.dtype, y_train.shape)

# %% [markdown]
# ## 2. Ver as primeiras 36 imagens de treino
#
# Um array `(H, W, 3)` de 0 a 255 já é uma imagem para o matplotlib.

# %%
fig = plt.figure(figsize=(20, 5.6), layout="constrained")
for i in range(36):
    ax = fig.add_subplot(3, 12, i + 1, xticks=[], yticks=[])
    ax.imshow(np.squeeze(x_train[i]))
    ax.set_title(data.class_names[y_train[i]])
plt.show()

# %% [markdown]
# ## 3. Reescalar os pixels
#
# Dividir por 255 leva cada pixel ao intervalo de 0 a 1. As redes começam com pesos pequenos e
# aprendem mais rápido quando as entradas são da ordem de 1.

# %%
x_train = x_train.astype("float32") / 255
x_test = x_test.astype("float32") / 255

# %% [markdown]
# ## 4. Conjuntos de treino, validação e teste
#
# Rótulos *one-hot*: a classe 3 vira `0 0 0 1 0 0 0 0 0 0`, o que uma rede perfeita daria na saída.
# As primeiras 5.000 imagens de treino (um décimo de um conjunto menor) ficam separadas para
# *validação*: a rede não aprende com elas, e ao fim de cada época elas dizem como a rede se sai
# com imagens que não viu. As imagens de teste ficam para o final, e são usadas uma vez só.

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
# ## 5. A arquitetura
#
# Primeiro só as convoluções. Cada uma tem o dobro de filtros da anterior; o padding 'same' mantém
# o tamanho. Parâmetros: $2 \cdot 2 \cdot 3 \cdot 16 + 16 = 208$, depois
# $2 \cdot 2 \cdot 16 \cdot 32 + 32 = 2080$, depois 8256.

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
# Com uma camada de pooling depois de cada convolução, os mapas encolhem, de 32 para 16, 8 e 4,
# enquanto o número deles cresce, de 3 para 16, 32 e 64: de muita informação sobre *onde* para
# muita informação sobre *o quê*. O número de parâmetros é o mesmo: o pooling não tem nenhum.

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
# A rede inteira: os mapas são estendidos num vetor de $4 \cdot 4 \cdot 64 = 1024$ números
# (`Flatten`), do qual duas camadas densas tiram a classe. O `Dropout` desliga uma parte dos
# números a cada passo de treino, cada vez outros, para que a rede não dependa de alguns poucos.
# Quase todos os 528.054 parâmetros estão na primeira camada densa.
#
# A semente torna a execução repetível: a mesma semente dá os mesmos pesos, até o último bit.

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
# ## 6. Compilar o modelo
#
# A *loss* é o que o treino diminui: a entropia cruzada entre os dez números da rede e o rótulo
# one-hot. Ela começa perto de $\ln 10 = 2,30$, a de quem chuta. O *otimizador* diz como os pesos
# seguem o gradiente dela, e a *métrica* é o que queremos ler.

# %%
model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])

# %% [markdown]
# ## 7. Treinar o modelo
#
# Cinco épocas: cada imagem é vista cinco vezes, 32 por passo. Ao fim de cada época o
# `ModelCheckpoint` salva o modelo se a loss nas imagens de validação for a menor até então.
# Treinar demais deixa a rede boa nas imagens de treino e não melhor nas outras; o modelo salvo é o
# de antes disso.

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
# ## 8. Carregar os melhores pesos
#
# São os da menor *loss* de validação, que é o que o `ModelCheckpoint` observa se não lhe disserem
# outra coisa; muitas vezes, mas nem sempre, é também a época da melhor acurácia.

# %%
model.load_weights("model.weights.best.hdf5")

# %% [markdown]
# ## 9. Acurácia no conjunto de teste
#
# Com o CIFAR-10, espere cerca de 0,64; quem chuta acerta 0,10.

# %%
score = model.evaluate(x_test, y_test, verbose=0)
print("Test accuracy:", score[1])

# %% [markdown]
# ## Quais classes se confundem?
#
# Linha: a classe verdadeira; coluna: a resposta da rede. Gatos e cachorros, carros e caminhões,
# pássaros e aviões (ambos diante do céu) são os erros clássicos.

# %%
predicted = model.predict(x_test, verbose=0).argmax(axis=1)
viz.confusion_matrix(y_test.argmax(axis=1), predicted, data.class_names)

# %% [markdown]
# ## Onde ela erra mais feio?
#
# As imagens em que a rede tem mais certeza e mesmo assim erra: acima de cada uma, a resposta com a
# probabilidade, e a classe verdadeira. Algumas são difíceis para gente também.

# %%
viz.worst_mistakes(model, x_test, y_test, data.class_names, count=12)

# %% [markdown]
# ## O que os filtros veem?
#
# Os 16 filtros da primeira convolução e os seus mapas para uma imagem, como na figura dos slides:
# cada filtro responde, em cada posição, quanto do seu padrão está ali. Depois do treino alguns
# reagem a bordas, outros a cores ou a áreas claras.

# %%
viz.activations(model, x_test[0])

# %% [markdown]
# ## Experimente
#
# 1. Tire as duas camadas `Dropout`. Como as curvas de treino e de validação se separam?
# 2. `epochs=30`: qual é a melhor época, e o que a loss faz depois dela?
# 3. Filtros 3x3 em vez de 2x2: quantos parâmetros a mais, e quanta acurácia?
# 4. A MLP do próximo notebook, com as mesmas imagens.
