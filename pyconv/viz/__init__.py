"""Pictures: of data, of trainings, and of what is in a network.

Figures need matplotlib (``pip install 'pyconv[plot]'``), which is imported when the first is made.
They work without a display and leave pyplot alone; each is returned, and written to ``path`` where
one is given. ``network_diagram`` is SVG text and needs nothing; ``imshow`` can do without too.
"""

from pyconv.viz.curves import learning_curves
from pyconv.viz.diagram import network_diagram
from pyconv.viz.images import image_grid, imshow
from pyconv.viz.inside import activations, filters
from pyconv.viz.mistakes import confusion_matrix, worst_mistakes

__all__ = [
    "activations",
    "confusion_matrix",
    "filters",
    "image_grid",
    "imshow",
    "learning_curves",
    "network_diagram",
    "worst_mistakes",
]
