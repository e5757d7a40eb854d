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
# # O filtro de média
#
# **Exercício.** Implementar um filtro de média (kernel 5x5).
#
# É o filtro mais simples que existe: cada pixel vira a média da janela em volta dele,
#
# $$R = \frac{1}{n}\sum_{i=1}^{n} z_i,$$
#
# com $n = 9$ para uma janela 3x3 e $n = 25$ para uma 5x5. Ele suaviza: o ruído some, e os detalhes
# também.

# %%
import matplotlib.pyplot as plt
import numpy as np

from pyconv import filters

# %% [markdown]
# ## A imagem dos slides
#
# Um quadrado branco com um furo e um ponto branco. O filtro deve preencher um, borrar o outro e
# amaciar as bordas.

# %%
F = np.zeros((10, 10))
F[2:7, 3:8] = 90
F[5, 4] = 0
F[8, 2] = 90
print(F.astype(int))

# %% [markdown]
# Uma janela à mão: a que fica em volta do pixel da linha 1, coluna 2 contém um 90 e oito zeros;
# logo a média é 10. Um passo para a direita são dois, e a média é 20; depois três, e 30.

# %%
for column in (2, 3, 4, 5):
    window = F[0:3, column - 1 : column + 2]
    print(window.ravel().astype(int), "->", window.sum() / 9)

# %% [markdown]
# ## Sua vez
#
# Escreva a função: para cada janela de `size` x `size` pixels contida na imagem, a sua média. Uma
# imagem 10x10 tem 8x8 janelas de 3x3 pixels e 6x6 de 5x5. A célula seguinte confere a sua resposta
# com a tabela dos slides; enquanto a função devolver `None`, ela mostra um `-`.


# %%
def mean_filter(image, size):
    return None


# %%
G3 = [
    [0, 10, 20, 30, 30, 30, 20, 10],
    [0, 20, 40, 60, 60, 60, 40, 20],
    [0, 30, 60, 90, 90, 90, 60, 30],
    [0, 30, 50, 80, 80, 90, 60, 30],
    [0, 30, 50, 80, 80, 90, 60, 30],
    [0, 20, 30, 50, 50, 60, 40, 20],
    [10, 20, 30, 30, 30, 30, 20, 10],
    [10, 10, 10, 0, 0, 0, 0, 0],
]
G5 = [
    [21.6, 32.4, 43.2, 54, 43.2, 32.4],
    [25.2, 39.6, 54, 68.4, 54, 43.2],
    [32.4, 50.4, 68.4, 86.4, 68.4, 54],
    [25.2, 39.6, 54, 68.4, 54, 43.2],
    [21.6, 32.4, 43.2, 50.4, 39.6, 32.4],
    [14.4, 21.6, 28.8, 32.4, 25.2, 21.6],
]


def check(function):
    for size, expected in ((3, G3), (5, G5)):
        result = function(F, size)
        if result is None:
            print(f"{size}x{size} -")
            continue
        assert np.shape(result) == np.shape(expected), np.shape(result)
        assert np.allclose(result, expected), np.abs(np.subtract(result, expected)).max()
        print(f"{size}x{size} ok")


check(mean_filter)

# %% [markdown]
# ## Respostas
#
# Com dois laços, como nos slides; com as janelas do numpy, sem laço; e com o pyconv, cujos kernels
# são escritos em C++.


# %%
def with_loops(image, size):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    result = np.empty((rows, columns))
    for i in range(rows):
        for j in range(columns):
            result[i, j] = image[i : i + size, j : j + size].sum() / size**2
    return result


def with_windows(image, size):
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size))
    return windows.mean(axis=(2, 3))


def with_pyconv(image, size):
    return filters.mean(image, size, border="valid")


for function in (with_loops, with_windows, with_pyconv):
    print(function.__name__)
    check(function)

# %% [markdown]
# A média também é uma soma ponderada em que todos os pesos são $1/n$: um filtro *linear*, portanto
# uma convolução. `filters.KERNELS` guarda kernels assim.

# %%
print(filters.KERNELS["box"])
check(lambda image, size: filters.correlate2d(image, np.ones((size, size)) / size**2, "valid"))

# %% [markdown]
# ## Quanto maior a janela, mais forte o borrão
#
# Uma imagem de pixels de 8 bits com degradês, bordas, um disco e listras finas. Além das bordas o
# filtro olha o reflexo da imagem (`reflect_101`, como faz o OpenCV); assim o tamanho não muda.

# %%
y, x = np.mgrid[0:120, 0:160]
image = (60 + 100 * x / 160).astype(np.uint8)
image[20:60, 20:60] = 230
image[(y - 78) ** 2 + (x - 110) ** 2 < 30**2] = 20
image[80:110, 20:60] = np.where(x[80:110, 20:60] // 2 % 2, 240, 10)


def show(**images):
    figure, row = plt.subplots(1, len(images), figsize=(14, 3.2), layout="constrained")
    for axes, (title, shown) in zip(row, images.items()):
        axes.imshow(shown, cmap="gray", vmin=0, vmax=255)
        axes.set_title(title)
        axes.axis("off")
    plt.show()


show(
    image=image,
    mean_3x3=filters.blur(image, (3, 3)),
    mean_5x5=filters.blur(image, (5, 5)),
    mean_15x15=filters.blur(image, (15, 15)),
)

# %% [markdown]
# ## Outros kernels
#
# O filtro **gaussiano** é uma média ponderada: os pixels perto do centro valem mais; por isso
# borra menos do que a média do mesmo tamanho. O **aguçamento** é o contrário da suavização: soma à
# imagem o que a suavização tira, $2 \cdot \text{imagem} - \text{borrada}$. O filtro de **Sobel** é
# uma derivada: responde onde a imagem muda.

# %%
blurred = filters.gaussian_blur(image, (7, 7), 0)
show(
    image=image,
    gaussian_blur=blurred,
    sharpen=filters.sharpen(image),
    unsharp_mask=filters.unsharp_mask(image),
    sobel=np.abs(filters.sobel(image)) / 4,
)

for name, kernel in filters.KERNELS.items():
    print(f"{name:10s} {kernel.shape} {kernel.sum():5.2f}")

# %% [markdown]
# A soma do kernel diz o que ele faz com uma área uniforme: 1 mantém o brilho (suavização e
# aguçamento), 0 a deixa preta (bordas).

# %%
flat = np.full((9, 9), 100.0)
for name, kernel in filters.KERNELS.items():
    result = filters.correlate2d(flat, kernel, border="valid")
    assert np.allclose(result, 100 * kernel.sum(), atol=1e-4), name

# %% [markdown]
# ## Quando a média é a ferramenta errada
#
# *Sal e pimenta*: pixels isolados ficam brancos ou pretos. A média espalha cada um deles pela
# janela; a **mediana** os descarta. *Ruído por toda parte*: a média e o gaussiano borram as bordas
# junto com o ruído; o filtro **bilateral** só inclui na média pixels de brilho parecido, e as
# bordas ficam. Nenhum dos dois é uma convolução: não há kernel de pesos fixos que faça o que eles
# fazem.

# %%
rng = np.random.default_rng(0)
spots = image.copy()
spots[rng.random(image.shape) < 0.04] = 255
spots[rng.random(image.shape) < 0.04] = 0
show(spots=spots, mean=filters.blur(spots, 5), median=filters.median_blur(spots, 5))

noisy = np.clip(image + rng.normal(0, 18, image.shape), 0, 255).astype(np.uint8)
show(noisy=noisy, mean=filters.blur(noisy, 5), bilateral=filters.bilateral_filter(noisy, 9, 75, 75))

# %% [markdown]
# ## Do código do OpenCV ao do pyconv
#
# As funções têm os nomes do OpenCV e dão os números do OpenCV; os tamanhos são (altura, largura).
#
# | OpenCV | pyconv |
# | --- | --- |
# | `cv2.blur(image, (3, 3))` | `filters.blur(image, (3, 3))` |
# | `cv2.GaussianBlur(image, (7, 7), 0)` | `filters.gaussian_blur(image, (7, 7), 0)` |
# | `cv2.medianBlur(image, 5)` | `filters.median_blur(image, 5)` |
# | `cv2.bilateralFilter(image, 9, 75, 75)` | `filters.bilateral_filter(image, 9, 75, 75)` |
# | `cv2.filter2D(image, -1, kernel)` | `filters.filter2d(image, kernel)` |
