"""TensorFlow's ``GradientTape``."""

from typing import Any

import numpy as np

from pyconv.compat._autodiff import Node, Taped, lost, pull_back
from pyconv.compat._eager import EagerArray, eager
from pyconv.compat._recording import Recording, is_open
from pyconv.compat._trees import leaves, mapped

NO_SECOND = (
    "there are no second derivatives; in place of a gradient penalty, layers.SpectralNormalization "
    "or a constraint on the weights keeps a critic's slopes small"
)


class GradientTape:
    """Records what is computed of models' outputs and of watched arrays, for their gradients.

    What a model does is differentiated by its layers, and what follows by the derivatives of
    numpy's and ``keras.ops``' functions; a function whose derivative is not known is an error where
    a gradient passes it. Where a model is called more than once, the gradients of its earlier calls
    cost another pass forward.

    Args:
        persistent: has no effect: gradients may be taken more than once.
        watch_accessed_variables: has no effect: parameters of models are always recorded.

    Example:
        >>> import numpy as np, pyconv.compat.tensorflow as tf
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        >>> model.set_weights([[[1.0], [2.0]], [0.0]])
        >>> with tf.GradientTape() as tape:
        ...     loss = tf.reduce_mean(tf.square(model(np.ones((4, 2)), training=True)))
        >>> kernel, bias = tape.gradient(loss, model.trainable_variables)
        >>> kernel.tolist(), bias.tolist()
        ([[6.0], [6.0]], [6.0])
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._recording = Recording()

    def __enter__(self) -> "GradientTape":
        self._context = self._recording.opened()
        self._context.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._context.__exit__(*raised)

    def watch(self, tensor: Any) -> None:
        """Record what is computed of an array, or of several.

        Raises:
            TypeError: it is none of those that ``keras.ops`` and ``tf`` return.
        """
        for array in leaves(tensor):
            if isinstance(array, Taped) and array.node is not None:
                continue
            if not isinstance(array, EagerArray):
                raise TypeError(
                    "GradientTape.watch: wants what tf.convert_to_tensor gave, got a "
                    f"{type(array).__name__}"
                )
            array.__class__ = Taped
            array.node = Node(array.shape)  # type: ignore[attr-defined]

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = None,
    ) -> Any:
        """Return the gradients of ``target``, of the sum of its numbers, by the sources.

        Args:
            target: what was computed, or several such.
            sources: parameters of models, watched arrays or results, or lists and dicts of them.
            output_gradients: the gradients by ``target``; None for 1.
            unconnected_gradients: 'zero' for zeros in place of None.

        Returns:
            The gradients in the form of ``sources``; None for what ``target`` does not depend on.

        Raises:
            NotImplementedError: the derivative of something on the way is not known.
            RuntimeError: a model was called again since, and its weights were changed.
        """
        ends = leaves(target)
        one = not isinstance(target, (list, tuple, dict))
        given = [output_gradients] if one else leaves(output_gradients)
        if output_gradients is None:
            given = [None] * len(ends)
        found: dict[Node, Any] = {}
        for end, gradient in zip(ends, given, strict=True):
            if isinstance(end, Taped) and end.node is not None:
                start = np.asarray(1.0 if gradient is None else gradient, end.dtype)
                for node, part in pull_back(end.node, start).items():
                    found[node] = found[node] + part if node in found else part
        zero = str(getattr(unconnected_gradients, "value", unconnected_gradients)) == "zero"

        def of(source: Any) -> Any:
            node = source.node if isinstance(source, Taped) else None
            if node is None and id(source) in self._recording.parameters:
                node = self._recording.parameters[id(source)][1]
            if node in found:
                gradient = np.array(found[node])
                return second_order(gradient) if is_open() else eager(gradient)
            return eager(np.zeros(np.shape(source), np.float32)) if zero else None

        return mapped(of, sources)


def second_order(gradient: Any) -> Any:
    """Return a gradient where another may be taken of it, as for a gradient penalty: an error."""
    return lost("the gradient of a gradient", gradient, NO_SECOND)
