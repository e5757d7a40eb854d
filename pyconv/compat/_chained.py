"""What makes pyconv's layers those of Keras: they are called on tensors as well as on arrays."""

from typing import Any

import numpy as np

from pyconv._types import Shape
from pyconv.compat import _call_context, _masking
from pyconv.compat._call_over import only_says_training, run_call_over
from pyconv.compat._eager import eager
from pyconv.compat._functional import WiredCall, nodes_between, wired
from pyconv.compat._of_lists import take_lists
from pyconv.compat._own_call import OwnCall
from pyconv.compat._phases import fix_phase
from pyconv.compat._recording import is_recorded, layer_call, merge_call
from pyconv.compat._tensor import Output, Tensor, tensors_of
from pyconv.compat._trees import mapped
from pyconv.compat._typed import Typed
from pyconv.layers._augmentation import Augmentation
from pyconv.layers._image_layer import ImageLayer
from pyconv.layers._merge import Merge
from pyconv.layers.layer import Layer, own_call
from pyconv.layers.pipeline import Pipeline


class Chained(Typed):
    """A layer that may be called on tensors, and that takes Keras 1's ``weights``."""

    supports_masking = False
    has_no_weights = False
    # What may follow the input in a call by place.
    by_place: tuple[str, ...] = ("training",)
    _makes_mask = False
    _first_weights: Any = None
    # The layer of the library over whose result a call of the user's own stands.
    call_over: str | None = None
    _calls_over = False  # at this moment
    output = Output()
    _is_built = False

    def __init_subclass__(cls: Any, **kwargs: Any) -> None:
        """Find out whether a class has a ``call`` over one of the library's layers."""
        super().__init_subclass__(**kwargs)
        cls.call_over = None
        if own_call(cls) is not None:
            order = cls.__mro__
            call = next(kind for kind in order if "call" in vars(kind))
            below = next((kind for kind in order if "backward" in vars(kind)), Layer)
            if below not in (Layer, OwnCall) and order.index(call) < order.index(below):
                cls.call_over = below.__name__

    def _create_weights(self: Any, input_shape: Shape) -> None:
        super()._create_weights(input_shape)  # type: ignore[misc]
        if self._first_weights is not None:
            self.set_weights(self._first_weights)
            self._first_weights = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy keeps: not the tensors, through which it would reach the network."""
        gone = ("input", "output", "tensors", "_last_call", "_recorded")
        return {name: value for name, value in vars(self).items() if name not in gone}

    def compute_mask(self, inputs: Any, mask: Any = None, previous_mask: Any = None) -> Any:
        """Return the mask of the result, from the inputs and their mask; None for none."""
        return _masking.of_result(self, inputs, previous_mask if mask is None else mask)

    _built_within = ""  # the path of the layer in whose call the weights were made

    def _path_around(self) -> str:
        self._built_within = _call_context.path() or self._built_within
        return f"{self._built_within}/" if self._built_within else ""

    def _parts_on(self, x: Tensor) -> Tensor | None:
        """Return the result of the layers that the layer's own ``call`` is made of, or None."""
        from pyconv.compat._traced import composed_of, is_composed

        ends = composed_of(self, x.sizes) if is_composed(self) else None
        if ends is None:
            return None
        if ends[0] is ends[1]:
            return x
        own: Any = self
        own.input, own.output = x, wired(nodes_between(*ends), x, True, WiredCall(self, [x]))
        result: Tensor = own.output
        return result

    @property
    def _name(self: Any) -> str:
        """The name, which programs for TensorFlow 2 change by this attribute."""
        return str(self.name)

    @_name.setter
    def _name(self: Any, value: str) -> None:
        self.name = value

    def call(self: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the layer's result, for a ``call`` of one's own above it."""
        return Chained.__call__(self, inputs, *args, **kwargs)

    call.of_the_library = True  # type: ignore[attr-defined]

    @property
    def _trainable_variables(self: Any) -> list[Any]:
        return list(self.params)

    @property
    def _non_trainable_variables(self: Any) -> list[Any]:
        return [w for name, w in self._weights.items() if name in self._untrained]

    @property
    def built(self: Any) -> bool:
        """Whether the layer has its weights; one that never has any is built from the beginning."""
        return self.knows_shape or (self.has_no_weights and type(self).build is Layer.build)

    @built.setter
    def built(self, value: bool) -> None:
        """Take what a ``build`` says at its end; a layer knows by itself."""

    def called(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the layer's result for arrays; as in Keras, images are changed if not told."""
        if args:
            kwargs.update(zip(self.by_place, args, strict=False))
        if isinstance(self, (Augmentation, Pipeline)):
            kwargs.setdefault("training", True)
        elif kwargs.get("training") is None:
            kwargs["training"] = bool(_call_context.arguments().get("training"))
        mask = given = kwargs.pop("mask", None)
        if isinstance(x, dict) and isinstance(self, (ImageLayer, Pipeline)):
            parts = super().__call__(x, **kwargs)  # type: ignore[misc]
            return mapped(lambda part: eager(part) if hasattr(part, "__array__") else part, parts)
        if mask is None and type(x) is not np.ndarray:
            mask = _masking.masks_of(x)
        if isinstance(self, Merge) and isinstance(x, (list, tuple)):
            if mask is None and any(map(is_recorded, x)):
                return merge_call(self, x, bool(kwargs.get("training")))
        elif mask is None and is_recorded(x):
            return layer_call(self, x, bool(kwargs.get("training")))
        if mask is None and self._policy is None and not self._makes_mask:
            return eager(super().__call__(x, **kwargs))  # type: ignore[misc]
        takes = isinstance(self, _masking.TAKE_MASKS)
        if given is not None and not takes and not self.supports_masking:
            raise NotImplementedError(
                f"{self.label}: it leaves nothing out and passes no mask on, so mask must be None"
            )
        if takes:
            self.mask = mask
        try:
            taken = _masking.without_masked(self, self.rounded_input(x), mask)
            y = super().__call__(taken, **kwargs)  # type: ignore[misc]
        finally:
            if takes:
                self.mask = None
        result = eager(self.rounded(y))
        if self.supports_masking:
            return _masking.set_masks(result, self.compute_mask(x, mask))
        if mask is not None:
            _masking.lost(self)
        return result

    def _is_run_over(self: Any, x: Any) -> bool:
        """Whether what is given is for a model or a gradient, by which the call as a whole goes."""
        several = isinstance(x, (list, tuple, dict))
        if isinstance(self, Merge) or (tensors_of(x) is None and (several or not is_recorded(x))):
            return False
        if only_says_training(self):
            return False
        run_call_over(self)
        return True

    def __call__(self: Any, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return the layer's result for a batch; for tensors of an ``Input``, its tensor.

        As in Keras the input may be named ``inputs``.
        """
        if x is None:
            x = kwargs.pop("inputs", None)
        if self.call_over and not self._calls_over and not self._is_run_over(x):
            self._calls_over = True
            try:
                return self.call(x, *args, **kwargs)
            finally:
                self._calls_over = False
        tensors = tensors_of(x)
        if tensors is None:
            return self.called(x, *args, **kwargs)
        if args:
            kwargs.update(zip(self.by_place, args, strict=False))
        if kwargs.get("mask") is not None:
            raise NotImplementedError(
                f"{self.label}: mask must be None in a call on an Input; put a Masking before it"
            )
        training = kwargs.get("training")
        if isinstance(training, bool):
            fix_phase(self, training)
        if len(tensors) > 1 and not (isinstance(self, Merge) or take_lists(self)):
            raise ValueError(
                f"{self.label}: it takes one input, got {len(tensors)}; bring them together with "
                "Add() or Concatenate()"
            )
        if not isinstance(self, Merge) and len(tensors) == 1:
            parts = self._parts_on(tensors[0])
            if parts is not None:
                self._is_built = True
                return parts
        if isinstance(self, Merge) and not isinstance(x, (list, tuple)):
            raise ValueError(f"{self.label}: a merge layer must be called on a list of inputs")
        if not self.knows_shape:  # as in Keras, where the call makes the weights
            shapes = [tensor.sizes for tensor in tensors]
            self.build(shapes if isinstance(self, Merge) else shapes[0])
        result = Tensor(self, tensors)
        mask = _masking.masks_of(x)
        if self.supports_masking and (mask is not None or self._makes_mask):
            result._keras_mask = self.compute_mask(x, mask)
        return result
