"""Class names that a config gives, beside those that the data has."""

from __future__ import annotations


def order_problem(given: tuple[str, ...] | None, found: tuple[str, ...] | None) -> str | None:
    """Why names cannot be given to classes, if they cannot.

    Other names are new ones, each for the class in its place. The same names in another order would
    call every class by the name of another.

    Args:
        given: By the config.
        found: In the data, in the order of the classes' numbers.
    """
    if given and found and given != found and set(given) == set(found):
        return (
            f"the data has the classes in the order {', '.join(found)}. Write `class_names` in "
            "that order, or leave it out"
        )
    return None
