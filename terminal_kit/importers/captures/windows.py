"""Bytes of many places at a time: one gather for some fields of every record, instead of one for each field."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def gather(data: NDArray[np.uint8], places: NDArray[np.int64], layout: str | np.dtype[Any]) -> NDArray[Any]:
    """What stands at each place, read as `layout`. Zeros stand for bytes beyond the end of the data."""
    dtype = np.dtype(layout)
    width = dtype.itemsize
    count = len(data) - width + 1
    if count > 0 and (not len(places) or int(places.max()) < count):
        windows: NDArray[Any] = np.ndarray((count,), f"V{width}", data, strides=(1,))
        return windows[places].view(dtype)
    near = places[places < len(data)]
    begin = int(near.min()) if len(near) else len(data)
    padded = np.concatenate((data[begin:], np.zeros(width, np.uint8)))
    within = np.minimum(places - begin, len(padded) - width)
    tail: NDArray[Any] = np.ndarray((len(padded) - width + 1,), f"V{width}", padded, strides=(1,))
    return tail[within].view(dtype)
