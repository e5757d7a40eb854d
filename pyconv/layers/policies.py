"""Random choices of several augmentations."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyconv._args import bool_arg, int_arg
from pyconv._types import Array, Shape
from pyconv.layers._arguments import number_arg
from pyconv.layers._augmentation import Augmentation, factor_arg, range_arg, sampling_arg
from pyconv.layers._image_layer import Transformation
from pyconv.layers._pixels import PixelChange
from pyconv.layers.equalization import AutoContrast, Equalization
from pyconv.layers.random_brightness import RandomBrightness, RandomContrast
from pyconv.layers.random_color import RandomColorDegeneration
from pyconv.layers.random_rotation import RandomRotation
from pyconv.layers.random_shear import RandomShear
from pyconv.layers.random_tones import RandomPosterization, RandomSharpness, Solarization
from pyconv.layers.random_translation import RandomTranslation


class _Policy(PixelChange):
    """Holds layers by Keras's names; what they draw, the policy draws for them."""

    factor: tuple[float, float]
    value_range: tuple[float, float]
    interpolation: str

    def _make(self, names: tuple[str, ...]) -> None:
        factor, values = self.factor, self.value_range
        warps = {"interpolation": self.interpolation}
        tones = {"value_range": values}
        shares = {"addition_factor": factor, "threshold_factor": factor}
        known: dict[str, tuple[Any, dict[str, Any]]] = {
            "random_shear": (RandomShear, {"x_factor": factor, "y_factor": factor, **warps}),
            "random_translation": (
                RandomTranslation,
                {"height_factor": factor, "width_factor": factor, **warps},
            ),
            "random_rotation": (RandomRotation, {"factor": factor, **warps}),
            "random_brightness": (RandomBrightness, {"factor": factor, **tones}),
            "random_color_degeneration": (RandomColorDegeneration, {"factor": factor, **tones}),
            "random_contrast": (RandomContrast, {"factor": factor, **tones}),
            "random_sharpness": (RandomSharpness, {"factor": factor, **tones}),
            "solarization": (Solarization, {**shares, **tones}),
            "random_posterization": (
                RandomPosterization,
                {"factor": max(1, int(8 * factor[1])), **tones},
            ),
            "auto_contrast": (AutoContrast, tones),
            "equalization": (Equalization, tones),
        }
        self._parts: dict[str, Augmentation] = {}
        for name in names:
            kind, options = known[name]
            # The policy turns the axes, and draws.
            self._parts[name] = kind(**options, name=f"{self.name}_{name}", seed=0)

    def images_shape(self, shape: Shape) -> Shape:
        """Return ``shape``, which each of the layers must take."""
        for part in self._parts.values():
            part.images_shape(shape)
        return shape

    def _drawn_part(
        self, name: str, u: NDArray[np.float64], h: int, w: int, c: int
    ) -> Transformation:
        drawn = self._parts[name].drawn(u, h, w, c)
        return {**drawn, "input_shape": (len(u), h, w, c)}

    def _applied(self, name: str, images: Array, t: Transformation) -> Array:
        return self._parts[name].transformed(np.ascontiguousarray(images, np.float32), t)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return masks changed as the images are."""
        masks = np.asarray(segmentation_masks)
        if not training or transformation is None:
            return masks
        first = self.data_format == "channels_first"
        changed = self._masks_changed(
            np.moveaxis(masks, -3, -1) if first else masks, transformation
        )
        return np.moveaxis(changed, -1, -3) if first else changed

    def _masks_changed(self, masks: Array, t: Transformation) -> Array:
        """Return masks with the channels last, changed."""
        raise NotImplementedError

    def _settings(self, value_range: Any, factor: Any, interpolation: str) -> None:
        self.value_range = range_arg(self.label, value_range)
        self.factor = factor_arg(self.label, "factor", factor, 0, 1)
        self.interpolation = sampling_arg(self.label, interpolation)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "factor": self.factor,
            "interpolation": self.interpolation,
        }


_WARPS = ("random_shear", "random_translation", "random_rotation")
_COLOURS = ("random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness")
_TONES = ("random_posterization", "solarization", "auto_contrast", "equalization")


class RandAugment(_Policy):
    """In training, does some changes to a batch, chosen at random of eleven.

    Which, is drawn for a batch; how strong they are, for each image. Cubuk et al., "RandAugment",
    2019.

    Args:
        value_range: least and largest value of the images.
        num_ops: how many changes, one after the other.
        factor: largest strength, 0 to 1, or (least, most): the factor of each of the layers
            ``RandomShear``, ``RandomTranslation``, ``RandomRotation``, ``RandomBrightness``,
            ``RandomColorDegeneration``, ``RandomContrast``, ``RandomSharpness``,
            ``Solarization`` and ``RandomPosterization``; ``AutoContrast`` and ``Equalization``
            have none.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: an integer for the same choices in each run.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``, ``bounding_box_format``.

    Input shape:
        ``(N, H, W, 3)``, or ``(N, 3, H, W)`` where channels are first; or one image.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.RandAugment((0, 1), seed=1)
        >>> x = np.random.default_rng(0).random((2, 8, 8, 3))
        >>> bool((layer(x, training=True) != x).any())
        True
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.num_ops = int_arg(self.label, "num_ops", num_ops, 0)
        self._settings(value_range, factor, interpolation)
        self._make((*_WARPS, *_COLOURS, *_TONES))

    def numbers(self, c: int) -> int:
        """Return those of the choices and of all layers."""
        return self.num_ops + sum(part.numbers(c) for part in self._parts.values())

    def drawn(self, u: NDArray[np.float64], h: int, w: int, c: int) -> Transformation:
        """Return ``layer_idxes`` (num_ops,), and ``transforms``, what each layer draws, by name."""
        chosen = (u[:1, : self.num_ops] * len(self._parts)).astype(np.int64).ravel()
        transforms, at = {}, self.num_ops
        for name, part in self._parts.items():
            end = at + part.numbers(c)
            transforms[name] = self._drawn_part(name, u[:, at:end], h, w, c)
            at = end
        return {"layer_idxes": chosen, "transforms": transforms}

    def _chosen(self, t: Transformation) -> list[tuple[str, Transformation]]:
        names = list(t["transforms"])
        return [(names[int(i)], t["transforms"][names[int(i)]]) for i in t["layer_idxes"]]

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images changed."""
        for name, how in self._chosen(t):
            images = self._applied(name, images, how)
        return images

    def _masks_changed(self, masks: Array, t: Transformation) -> Array:
        for name, how in self._chosen(t):
            masks = self._parts[name].transform_segmentation_masks(masks, how)
        return masks

    def moved_boxes(self, boxes: Array, transformation: Transformation, h: int, w: int) -> Array:
        """Return boxes (N, K, 4) moved by one warp after the other."""
        for name, how in self._chosen(transformation):
            boxes = self._parts[name].moved_boxes(boxes, how, h, w)
        return boxes

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "num_ops": self.num_ops}


class AugMix(_Policy):
    """In training, mixes images with a mixture of chains of changes.

    Chains and shares are drawn for a batch, strengths for each image. Hendrycks et al., "AugMix",
    2020.

    Args:
        value_range: least and largest value of the images.
        num_chains: how many chains.
        chain_depth: the changes of a chain, some of which do nothing.
        factor: largest strength, 0 to 1, or (least, most); see ``RandAugment``.
        alpha: of the distributions of the shares, above 0.
        all_ops: whether brightness, contrast, colour and sharpness are changed too.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: an integer for the same choices in each run.
        data_format: None or ``"channels_last"``, or ``"channels_first"``.
        **kwargs: ``name``, ``dtype``, ``input_shape`` of ``Layer``.

    Input shape:
        ``(N, H, W, 3)``, or ``(N, 3, H, W)`` where channels are first; or one image.

    Output shape:
        That of the input.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has a wrong value.

    Example:
        >>> import numpy as np, pyconv
        >>> layer = pyconv.layers.AugMix((0, 1), seed=1)
        >>> x = np.random.default_rng(0).random((2, 8, 8, 3))
        >>> bool((layer(x, training=True) != x).any())
        True
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.num_chains = int_arg(self.label, "num_chains", num_chains)
        self.chain_depth = int_arg(self.label, "chain_depth", chain_depth)
        self.alpha = number_arg(self.label, "alpha", alpha, 1e-6)
        self.all_ops = bool_arg(self.label, "all_ops", all_ops)
        self._settings(value_range, factor, interpolation)
        self._make((*_WARPS, *_TONES, *(_COLOURS if self.all_ops else ())))

    def draw(self, n: int, h: int, w: int, c: int) -> Transformation:
        """Return ``chain_mixing_weights``, ``weight_sample`` and ``chain_transforms``.

        The last are lists of ``layer_name`` and ``transformation``.
        """
        rng = self.generator()
        names, chains = list(self._parts), []
        for _ in range(self.num_chains):
            chain = []
            for choice in rng.integers(0, len(names) + 1, self.chain_depth):
                if choice < len(names):  # else nothing
                    name = names[choice]
                    u = rng.random((n, self._parts[name].numbers(c)))
                    how = self._drawn_part(name, u, h, w, c)
                    chain.append({"layer_name": name, "transformation": how})
            chains.append(chain)
        return {
            "chain_mixing_weights": rng.dirichlet([self.alpha] * self.num_chains),
            "weight_sample": rng.beta(self.alpha, self.alpha),
            "chain_transforms": chains,
        }

    def changed(self, images: Array, t: Transformation) -> Array:
        """Return the images mixed with what the chains make of them."""

        def applied(name: str, x: Array, how: Transformation) -> Array:
            return self._applied(name, x, how)

        return np.clip(self._mixed(images, t, applied), *self.value_range)

    def _mixed(self, images: Array, t: Transformation, applied: Any) -> Array:
        made = np.zeros_like(images)
        for share, chain in zip(t["chain_mixing_weights"], t["chain_transforms"], strict=True):
            x = images
            for link in chain:
                x = applied(link["layer_name"], x, link["transformation"])
            made += np.float32(share) * x
        kept = np.float32(t["weight_sample"])
        return np.asarray(kept * images + (1 - kept) * made, np.float32)

    def _masks_changed(self, masks: Array, t: Transformation) -> Array:
        def applied(name: str, x: Array, how: Transformation) -> Array:
            return np.asarray(self._parts[name].transform_segmentation_masks(x, how), np.float32)

        return self._mixed(np.asarray(masks, np.float32), t, applied)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "num_chains": self.num_chains,
            "chain_depth": self.chain_depth,
            "alpha": self.alpha,
            "all_ops": self.all_ops,
        }
