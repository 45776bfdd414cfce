"""Networks made wider or narrower as a whole."""


def scaled(filters: int, width: float) -> int:
    """The filters of a layer where all layers are `width` times as wide; at least 1."""
    return max(1, round(filters * width))
