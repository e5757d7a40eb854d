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
# # O que uma convolução calcula
#
# Uma imagem é uma grade de números. A convolução desliza uma grade pequena, o *filtro* ou
# *kernel*, sobre ela: em cada posição, multiplica os números que ficam um sobre o outro e soma os
# produtos. É só isso. Neste notebook você faz a conta à mão, escreve o algoritmo em poucas linhas
# e vê que `pyconv.filters` e a camada `Conv2D` de uma rede neural chegam aos mesmos números.

# %%
import matplotlib.pyplot as plt
import numpy as np

import pyconv
from pyconv import filters
from pyconv.layers import AveragePooling2D, Conv2D, Dense, MaxPooling2D

# %% [markdown]
# ## À mão
#
# A imagem e o filtro dos slides. Coloque o filtro no canto superior esquerdo e some os produtos:
#
# $$1\cdot1 + 1\cdot0 + 1\cdot1 + 0\cdot0 + 1\cdot1 + 1\cdot0 + 0\cdot1 + 0\cdot0 + 1\cdot1 = 4$$

# %%
image = np.array(
    [
        [1, 1, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 1, 1],
        [0, 0, 1, 1, 0],
        [0, 1, 1, 0, 0],
    ]
)
kernel = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])

window = image[0:3, 0:3]
print(window * kernel)
print((window * kernel).sum())

# %% [markdown]
# Um passo para a direita a janela é outra, e a soma é 3. Nesta imagem cabem nove posições; por
# isso o resultado, o *mapa de características*, tem nove números.


# %%
def convolve(image, kernel, stride=1):
    size = len(kernel)
    rows = (image.shape[0] - size) // stride + 1
    columns = (image.shape[1] - size) // stride + 1
    result = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = image[top : top + size, left : left + size]
            result[i, j] = (window * kernel).sum()
    return result


for j in range(3):
    window = image[0:3, j : j + 3]
    products = [f"{a}*{b}" for a, b in zip(window.flat, kernel.flat)]
    print(" + ".join(products), "=", (window * kernel).sum())

print(convolve(image, kernel))
assert convolve(image, kernel).tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]

# %% [markdown]
# O mesmo com o pyconv: `filters.correlate2d` é o filtro, `Conv2D` é a camada de uma rede. A camada
# recebe um lote de imagens `(N, H, W, C)`, e seus pesos têm o formato `(KH, KW, C, filtros)`; aqui
# há uma imagem, um canal e um filtro. Numa rede os pesos são *aprendidos*; aqui nós os definimos.


# %%
def by_layer(image, kernel, **options):
    layer = Conv2D(1, kernel.shape, use_bias=False, **options)
    layer.build((None, *image.shape, 1))
    layer.set_weights([kernel[:, :, None, None]])
    return layer(image[None, :, :, None])[0, :, :, 0]


print(filters.correlate2d(image, kernel, border="valid"))
print(by_layer(image, kernel))
assert np.array_equal(filters.correlate2d(image, kernel, border="valid"), convolve(image, kernel))
assert np.array_equal(by_layer(image, kernel), convolve(image, kernel))

# %% [markdown]
# **Uma armadilha de nomes.** O que as redes neurais chamam de convolução não gira o filtro: na
# matemática isso se chama *correlação cruzada*. A convolução da matemática gira o filtro em 180
# graus antes (`filters.convolve2d`). Para um filtro simétrico as duas coincidem; para o de Sobel,
# mudam de sinal. Para a rede tanto faz, pois ela aprende os filtros de um jeito ou de outro.

# %%
print(filters.SOBEL_X)
print(filters.correlate2d(image, filters.SOBEL_X, border="valid"))
print(filters.convolve2d(image, filters.SOBEL_X, border="valid"))

# %% [markdown]
# ## Stride e padding
#
# O *stride* é o passo de uma janela para a próxima: com 2, uma posição sim, outra não. O *padding*
# põe zeros em volta da imagem, para que as janelas também possam ficar centradas na borda: com um
# anel de zeros, um filtro 3x3 mantém o tamanho.

# %%
print(by_layer(image, kernel, strides=2))
print(by_layer(image, kernel, padding="same"))
assert np.array_equal(by_layer(image, kernel, strides=2), convolve(image, kernel, stride=2))
assert np.array_equal(by_layer(image, kernel, padding=1), convolve(np.pad(image, 1), kernel))

# %% [markdown]
# De que tamanho é o resultado? Com uma imagem de largura $W$, um filtro de largura $F$, padding
# $P$ de cada lado e stride $S$:
#
# $$W_2 = \left\lfloor \frac{W - F + 2P}{S} \right\rfloor + 1$$
#
# Três configurações comuns mantêm o tamanho: $F=3, P=1$; $F=5, P=2$; $F=1, P=0$ (todas com $S=1$).
# Quando a divisão não é exata, as últimas colunas ficam de fora.


# %%
def output_size(w, f, p, s):
    return (w - f + 2 * p) // s + 1


print(" W  F  P  S   W2")
for w, f, p, s in [
    (5, 3, 0, 1),
    (5, 3, 0, 2),
    (5, 3, 1, 1),
    (32, 5, 0, 1),
    (32, 5, 2, 1),
    (32, 1, 0, 1),
    (13, 3, 0, 2),
]:
    w2 = output_size(w, f, p, s)
    print(f"{w:2d} {f:2d} {p:2d} {s:2d} {w2:4d}")
    layer = Conv2D(1, f, strides=s, padding=p)
    assert layer.compute_output_shape((None, w, w, 1)) == (None, w2, w2, 1)

# %% [markdown]
# ## Um filtro é uma pergunta
#
# O filtro abaixo pergunta: há aqui uma diagonal que sobe para a direita? Onde ela está, a soma é
# 3; onde não está, a soma é pequena ou negativa, e a ativação $\mathrm{ReLU}(x)=\max(0, x)$
# transforma as somas negativas em 0. O que sobra é um mapa de *onde* o padrão foi encontrado.

# %%
diagonal = np.array([[-1, -1, 1], [-1, 1, -1], [1, -1, -1]])
line = np.zeros((5, 5))
line[[1, 2, 3, 4], [4, 3, 2, 1]] = 1

found = by_layer(line, diagonal, activation="relu")
print(line)
print(found)
assert found.tolist() == [[0, 0, 0], [0, 0, 3], [0, 3, 0]]

# %% [markdown]
# ## Os filtros dos slides como pesos de uma camada
#
# `filters.KERNELS` tem a tabela dos slides. Numa foto eles acham bordas, realçam ou suavizam. Como
# filtro e como pesos de uma `Conv2D`, cada um dá os mesmos números até o último bit: os dois
# executam o mesmo código.

# %%
data = pyconv.datasets.load()
picture = data.x_train[4].mean(axis=2)

figure, grid = plt.subplots(2, 7, figsize=(14, 4.6), layout="constrained")
grid = grid.ravel()
grid[0].imshow(picture, cmap="gray", vmin=0, vmax=255)
grid[0].set_title("image")
for axes, (name, weights) in zip(grid[1:], filters.KERNELS.items()):
    result = filters.correlate2d(picture, weights, border="constant")
    assert np.array_equal(result, by_layer(picture, weights, padding="same"))
    edges = name.startswith(("edge", "sobel"))
    limit = np.abs(result).max()
    axes.imshow(result, cmap="gray", vmin=-limit if edges else 0, vmax=limit if edges else 255)
    axes.set_title(name)
for axes in grid:
    axes.axis("off")
plt.show()

# %% [markdown]
# ## Cores e vários filtros
#
# Uma imagem colorida tem três canais; por isso o filtro tem três camadas, uma para cada canal:
# 3x3x3 números. As somas dos três canais são somadas: *um filtro dá um mapa*, qualquer que seja o
# número de canais. Vários filtros dão vários mapas, empilhados numa "nova imagem" com um canal por
# filtro.

# %%
rng = np.random.default_rng(0)
colours = rng.integers(0, 256, (6, 6, 3))
weights = rng.integers(-2, 3, (3, 3, 3, 2))

layer = Conv2D(2, 3, use_bias=False)
layer.build((None, 6, 6, 3))
layer.set_weights([weights])
maps = layer(colours[None])[0]
print(colours.shape, "*", weights.shape, "->", maps.shape)

for k in range(2):
    by_hand = sum(convolve(colours[:, :, c], weights[:, :, c, k]) for c in range(3))
    assert np.array_equal(maps[:, :, k], by_hand)

# %% [markdown]
# ## Quantos parâmetros?
#
# Um filtro de largura $F$ sobre $D$ canais tem $F \cdot F \cdot D$ pesos e um bias, em qualquer
# posição da imagem: todas as posições os compartilham. $K$ filtros têm
# $(F \cdot F \cdot D) \cdot K$ pesos e $K$ biases. Uma camada densa com as mesmas entradas e
# saídas tem um peso para *cada par*: compare. Cada saída da convolução vê só um pedaço de 5x5 da
# imagem, o seu *campo receptivo*; cada saída da densa vê a imagem inteira.

# %%
conv = Conv2D(6, 5)
conv.build((None, 32, 32, 3))
dense = Dense(28 * 28 * 6)
dense.build((None, 32 * 32 * 3))

print("Conv2D", conv.output_shape, f"{conv.count_params():,}")
print("Dense ", dense.output_shape, f"{dense.count_params():,}")
assert conv.receptive_field == (5, 5)
assert conv.count_params() == (5 * 5 * 3) * 6 + 6 == 456
assert dense.count_params() == 3072 * 4704 + 4704 == 14_455_392

# %% [markdown]
# ## Pooling
#
# O pooling diminui os mapas. Em cada janela ele guarda o maior valor (ou a média): *se* o padrão
# foi encontrado permanece, *exatamente onde* se perde. Não tem parâmetros e atua em cada mapa
# separadamente. O tamanho segue a mesma fórmula, sem padding: $W_2 = (W - F)/S + 1$.


# %%
def pooled(layer, image):
    return layer(np.array(image)[None, :, :, None])[0, :, :, 0]


first = [[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]
second = [[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]]
print(pooled(MaxPooling2D(2), first))
print(pooled(MaxPooling2D(2), second))
print(pooled(AveragePooling2D(2), second))
assert pooled(MaxPooling2D(2), first).tolist() == [[6, 8], [3, 4]]
assert pooled(MaxPooling2D(2), second).tolist() == [[9, 2], [6, 3]]
assert MaxPooling2D(3, 2).compute_output_shape((None, 13, 13, 8)) == (None, 6, 6, 8)

# %% [markdown]
# `pyconv.explain` mostra a conta de uma camada, janela por janela; só com o tamanho da imagem, ele
# mostra as fórmulas. Conhece convoluções, pooling, camadas densas e outras.

# %%
pyconv.explain(MaxPooling2D(2), second)
pyconv.explain(Conv2D(6, 5), (32, 32, 3))

# %% [markdown]
# ## Experimente
#
# 1. Mude um número de `image`. Quais números do resultado mudam, e por que esses?
# 2. Um filtro que acha diagonais que *descem*: quais são os pesos?
# 3. Um filtro 7x7 numa imagem 32x32: que padding mantém o tamanho? Confira com `output_size`.
# 4. Duas convoluções 3x3 em sequência: que pedaço da imagem um número do resultado enxerga?
#    Quantos pesos elas têm, e quantos tem uma convolução 5x5?
