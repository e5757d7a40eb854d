"""Networks of the functional API's tensors: which layers make one of others, and in which order."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from pyconv.compat._tensor import Tensor
from pyconv.layers._uses import another_use
from pyconv.layers.graph import Node, unfolded
from pyconv.layers.layer import Layer


class WiredCall:
    """A call of a model, or of a layer that is made of layers: one step of the network around it.

    Args:
        owner: the model or layer.
        inputs: the tensors that it was called on.
        training: what the call was told.
    """

    def __init__(self, owner: Any, inputs: Sequence[Tensor], training: Any = None) -> None:
        self.owner, self.inputs, self.training = owner, tuple(inputs), training
        self.outputs: list[Tensor] = []

    def take(self, made: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        """Have these tensors be what the call made, of which some are its results."""
        for tensor in made:
            tensor.within = self
        self.outputs = list(outputs)


def applied(
    stack: Sequence[Layer], x: Tensor, is_output: bool, call: WiredCall | None = None
) -> Tensor:
    """Return what the layers of a model make of ``x``.

    ``is_output`` says whether each layer's result is its ``output`` from now on.
    """
    return wired(unfolded(stack), x, is_output, call)


def wired(
    nodes: Sequence[Node], x: Tensor, is_output: bool, call: WiredCall | None = None
) -> Tensor:
    """Return what the layers of a graph make of ``x``."""
    tensors = [x]
    for layer, sources in nodes:
        taken = [tensors[source] for source in sources]
        tensors.append(Tensor(layer.use_of or layer, taken, is_output))
    if call is not None:
        call.take(tensors[1:], tensors[-1:])
    return tensors[-1]


def connected(start: Tensor, end: Tensor) -> Tensor:
    """Return what the layer of ``end`` gives where it was called on what came of ``start``.

    A layer of two models has a tensor in each, one of which is its ``output``.
    """
    others = [ref() for ref in reversed(vars(end.layer)["tensors"])]
    for tensor in (end, *(other for other in others if other is not None)):
        found: Any = _from_the_end(
            [start], [tensor], {}, lambda t: [] if t is start else t.inputs, False
        )
        if any(one is start for one in found):
            found_end: Tensor = tensor
            return found_end
    return end


def nodes_between(start: Tensor, end: Tensor) -> list[Node]:
    """Return the layers that make ``end`` of ``start``, in Keras's order.

    Raises:
        NotImplementedError: one is used twice, and cannot be copied for that.
        ValueError: ``end`` depends on something else, or is ``start``.
    """
    ordered = network([start], [end])
    if ordered[:1] != [start] or len(ordered) < 2:
        raise ValueError(
            f"keras.Model: {end.layer.label} is not made of the input {start.layer.label} by "
            "layers that were called one on the other"
        )
    numbers = {tensor: number for number, tensor in enumerate(ordered)}
    return [
        (layer, tuple(numbers[source] for source in tensor.inputs))
        for tensor, layer in zip(ordered[1:], workers(ordered[1:]), strict=True)
    ]


def workers(tensors: Sequence[Tensor]) -> list[Layer]:
    """Return the layers that make these tensors: their own, and others where one is used again."""
    used: set[int] = set()
    found = []
    for tensor in tensors:
        if id(tensor.layer) not in used:
            used.add(id(tensor.layer))
            found.append(tensor.layer)
            continue
        if tensor.other_use is None:
            tensor.other_use = another_use(tensor.layer)
        found.append(tensor.other_use)
    return found


def network(starts: Sequence[Tensor], ends: Sequence[Tensor]) -> list[Tensor]:
    """Return all tensors from ``starts`` to ``ends``, in Keras's order of their layers.

    Raises:
        ValueError: an end depends on an input that is not in ``starts``.
    """
    return _ordered(starts, ends, lambda tensor: tensor)


def steps_between(starts: Sequence[Tensor], ends: Sequence[Tensor]) -> list[Any]:
    """Return the network as its user wrote it, a ``WiredCall`` in place of its tensors."""
    own = set(starts)
    return _ordered(starts, ends, lambda t: t if t in own or t.within is None else t.within)


def _ordered(starts: Sequence[Tensor], ends: Sequence[Tensor], step_of: Any) -> list[Any]:
    """Return the steps that tensors belong to, the deepest first, as Keras orders its layers."""
    own = set(starts)
    last = list(dict.fromkeys(map(step_of, ends)))
    depths: dict[Any, int] = dict.fromkeys(last, 0)
    place: dict[Any, int] = {}

    def sources(step: Any) -> list[Any]:
        return [] if step in own else [step_of(tensor) for tensor in step.inputs]

    for step in _from_the_end(own, last, place, sources):
        for source in sources(step):
            depths[source] = max(depths.get(source, 0), depths[step] + 1)
    return sorted(place, key=lambda step: (-depths[step], place[step]))


def _from_the_end(
    starts: Collection[Any],
    ends: Sequence[Any],
    place: dict[Any, int],
    sources: Callable[[Any], Any],
    whole: bool = True,
) -> Iterator[Any]:
    """Give all steps from ``starts`` to ``ends``, each before what it takes.

    ``place`` gets the number of each in the order in which they are come by, as Keras counts.
    If they are to be the ``whole`` model, another input is an error.
    """
    finished: list[Any] = []
    waiting: list[tuple[Any, bool]] = [(end, False) for end in reversed(ends)]
    while waiting:
        step, is_done = waiting.pop()
        if is_done:
            finished.append(step)
        elif step not in place:
            place[step] = len(place)
            if whole and step not in starts and not step.inputs:
                of: Any = ends[0].layer if isinstance(ends[0], Tensor) else ends[0].owner
                raise ValueError(
                    f"keras.Model: {of.label} depends on {step.layer.label}, which is not among "
                    "the model's inputs"
                )
            waiting.append((step, True))
            waiting += [(source, False) for source in reversed(sources(step))]
    yield from reversed(finished)
