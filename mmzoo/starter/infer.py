"""Column inference: whether each column is an input, splits the rows, or is left out, and why.

What a column holds is inferred by `mmzoo.data.column_types`, which inputs read it is asked of the
inputs themselves; here its name and its relation to the target are considered too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mmzoo.data.column_profile import FILE_SHARE, ColumnProfile, profile_column
from mmzoo.data.column_types import FEW_VALUES, SAMPLE, name_words
from mmzoo.data.media_paths import problems, relocate
from mmzoo.data.number_formats import UnreadFormat, ambiguous_thousands, unread_format
from mmzoo.data.table_split import SPLIT_NAMES
from mmzoo.lazy import pl
from mmzoo.modalities import input_types
from mmzoo.modalities.base_input import BaseInput
from mmzoo.modalities.file_input import FileInput
from mmzoo.modalities.suggestion import Suggestion
from mmzoo.spec.wording import shorten
from mmzoo.starter.media_files import UNSUPPORTED, suggest_file

Role = Literal["input", "split", "fold", "group", "left out"]
"""A `group` column is no input, but rows with the same value stay together in one split."""

SEEMS_SPLIT = "it seems to name splits"
_ID_WORDS = {"id", "ids", "uuid", "guid", "index", "idx", "key", "hash", "sha256", "md5", "rowid"}
_GROUP_WORDS = {
    *("author", "customer", "household", "participant", "patient", "person", "session"),
    *("speaker", "subject", "user", "writer"),
}
_SPLIT_WORDS = {"split", "splits", "subset", "set", "partition", "part", "phase"}
_MIN_GROUPS = 20
_MAX_SPLIT_VALUES = 8
_SAMPLED_FILES = 200
_TRIED_FILES = 3
_MEANT_SHARE = 0.5


@dataclass(frozen=True)
class InferredColumn:
    """A column with its role.

    Attributes:
        profile: Its type and statistics.
        role: Its use.
        reason: Why, as a clause.
        input_type: The `type` of the input that reads it, if its role is input.
        suggestion: The fields of that input.
        sampled_files: How many of the files were looked at.
    """

    profile: ColumnProfile
    role: Role
    reason: str
    input_type: str = ""
    suggestion: Suggestion | None = None
    sampled_files: int = 0

    @property
    def name(self) -> str:
        return self.profile.name

    @property
    def kind(self) -> str:
        """The word in the terminal: the kind in a tabular input, else the input's type or role."""
        if self.role != "input" or self.suggestion is None:
            return self.role
        columns = self.suggestion.fields.get("columns", {})
        return columns.get(self.name, self.input_type) if columns else self.input_type

    @property
    def has_missing_files(self) -> bool:
        """Whether it has paths of files, but none that can be read. URLs are no paths."""
        return self.sampled_files > 0 and self.suggestion is None

    def left_out(self, reason: str) -> InferredColumn:
        return InferredColumn(self.profile, "left out", reason)


def file_types() -> dict[str, type[FileInput]]:
    """The inputs that read files, by their `type`."""
    return {name: one for name, one in input_types().items() if issubclass(one, FileInput)}


def file_suffixes() -> tuple[str, ...]:
    """The suffixes of all files that inputs read."""
    return tuple(suffix for one in file_types().values() for suffix in one.suffixes)


def infer_column(column: pl.Series, root: str) -> InferredColumn:
    """The role of a column that is not a target.

    Args:
        column: All of its cells.
        root: The folder that paths are relative to.
    """
    profile = profile_column(column, file_suffixes())
    special = special_role(profile)
    if special is not None:
        role, reason = special
        if role == "left out" and (meant := _unclear_paths(profile, root)):
            reason = meant
        return InferredColumn(profile, role, reason)
    return with_suggestion(profile, root)


def special_role(profile: ColumnProfile) -> tuple[Role, str] | None:
    """The role of a column that is no input, whatever inputs there are, and why."""
    return (
        _excluded(profile)
        or _split_or_fold(profile)
        or _by_name(profile)
        or _unread_numbers(profile)
    )


def with_suggestion(profile: ColumnProfile, root: str) -> InferredColumn:
    """The column as part of the input that reads it; left out if there is none."""
    sampled: Sequence[str] = ()
    missing: dict[str, str] = {}
    if profile.type == "file":
        sampled = _sampled(profile)
        moved = relocate(sampled, root)
        sampled = [moved.get(path, path) for path in sampled]
        missing = {sampled[place]: why for place, why in problems(sampled, root).items()}
        found = tuple(os.path.join(root, path) for path in sampled if path not in missing)
        profile = replace(profile, files=found)
    claims = {
        name: suggestion
        for name, one in input_types().items()
        if (suggestion := one.suggest(profile)) is not None
    }
    if not claims:
        return InferredColumn(profile, "left out", _unused(profile, root))
    name = next((one for one in claims if claims[one].specific), next(iter(claims)))
    suggestion = claims[name]
    unreadable = missing | {
        os.path.relpath(path, root): why for path, why in suggestion.unreadable.items()
    }
    suggestion = replace(suggestion, unreadable=unreadable)
    if not suggestion.fields:
        path, why = next(iter(unreadable.items()))
        is_url = path.partition("://")[1] != ""
        reason = (
            f"none of {len(sampled):,} sampled files can be read below {root}: "
            f"{shorten(path)}: {why}"
        )
        count = 0 if is_url else len(sampled)
        return InferredColumn(profile, "left out", reason, sampled_files=count)
    reason = _used(profile, name, suggestion)
    return InferredColumn(profile, "input", reason, name, suggestion, len(sampled))


def sample_paths(column: pl.Series) -> list[str]:
    """Some of the paths of files in a column; none if it has no paths."""
    cells = column.gather_every(max(1, len(column) // SAMPLE))
    profile = profile_column(cells, file_suffixes())
    return _sampled(profile) if profile.type == "file" else []


def _sampled(profile: ColumnProfile) -> list[str]:
    paths = profile.cells.drop_nulls().unique(maintain_order=True)
    return paths.gather_every(max(1, len(paths) // _SAMPLED_FILES)).to_list()


def holds_media(profile: ColumnProfile) -> bool:
    """Whether a column has paths of media files, including those that no input reads."""
    return profile.share_with_suffix((*file_suffixes(), *UNSUPPORTED)) >= FILE_SHARE


def has_own_input(column: InferredColumn) -> bool:
    """Whether the column's input reads it alone, rather than with the other columns of a table."""
    return column.role == "input" and not _type_of(column).uses_remaining_columns


def _type_of(column: InferredColumn) -> type[BaseInput]:
    return input_types()[column.input_type]


# Roles


def _excluded(profile: ColumnProfile) -> tuple[Role, str] | None:
    if profile.type == "empty":
        return "left out", "it is empty"
    if profile.type == "nested":
        return "left out", "its cells are neither text nor numbers"
    if profile.type == "labels":
        return "left out", "its cells are lists, which only targets can be"
    if profile.distinct == 1:
        return "left out", f"it is always '{shorten(profile.example)}'"
    unread = profile.share_with_suffix(UNSUPPORTED)
    if unread > 1 - FILE_SHARE and holds_media(profile):
        suffix = max(UNSUPPORTED, key=lambda one: profile.suffixes.get(one, 0.0))
        which = "its files are" if unread == 1 else f"{100 * unread:.0f} % of its files are"
        return "left out", f"{which} {suffix}, which mmzoo does not read: convert them"
    return None


def _split_or_fold(profile: ColumnProfile) -> tuple[Role, str] | None:
    words = _split_words(profile)
    parts = name_words(profile.name)
    known = words & SPLIT_NAMES.keys()
    if "train" in {SPLIT_NAMES[word] for word in known}:
        if others := sorted(words - known):
            if len(known) > 1 or _SPLIT_WORDS & set(parts):
                odd = ", ".join(f"'{shorten(word)}'" for word in others)
                return "left out", f"{SEEMS_SPLIT}, but {odd} is not train, validation or test"
        elif profile.missing:
            return "left out", f"{SEEMS_SPLIT}, but {profile.missing:,} cells are empty"
        else:
            return "split", f"its values are {', '.join(sorted(words))}"
    if parts[-1] in ("fold", "folds", "cv") and profile.whole and 3 <= profile.distinct <= 20:
        return "fold", f"it has the numbers of {profile.distinct} folds"
    return None


def _split_words(profile: ColumnProfile) -> set[str]:
    if not profile.words or not 2 <= profile.distinct <= _MAX_SPLIT_VALUES:
        return set()
    return set(profile.cells.drop_nulls().str.to_lowercase().unique().to_list())


def _by_name(profile: ColumnProfile) -> tuple[Role, str] | None:
    """Detects identifier and group columns."""
    if profile.type == "file":
        return None
    parts = name_words(profile.name)
    is_number = profile.type == "number" or profile.whole
    if (is_number and not profile.whole) or profile.words > 2 or profile.type == "text":
        return None
    if _GROUP_WORDS & set(parts) and _MIN_GROUPS <= profile.distinct < profile.filled:
        return "group", f"{profile.distinct:,} groups; the rows of each stay in one split"
    if parts[-1] in _ID_WORDS and not (profile.repeats and profile.distinct <= FEW_VALUES):
        return "left out", "its name is that of an identifier"
    if parts in ([""], ["", ""]) or parts[0] == "unnamed":
        return "left out", "it has no name, so it probably has row numbers"
    if profile.type == "identifier" and profile.whole:
        return "left out", "it numbers the rows"
    return None


def unread_numbers(profile: ColumnProfile) -> UnreadFormat | None:
    """The format of numbers or dates that a text column has, if it is one that is not read."""
    if profile.type == "number" and (found := ambiguous_thousands(profile.cells)):
        return UnreadFormat("numbers", found[0], found[0].replace(".", ""))
    if profile.type not in ("category", "text", "identifier") or not profile.words:
        return None
    return unread_format(profile.sample)


def _unread_numbers(profile: ColumnProfile) -> tuple[Role, str] | None:
    found = unread_numbers(profile)
    if found and (profile.distinct > FEW_VALUES or profile.type == "number"):
        return "left out", str(found)
    return None


# Reasons


def _used(profile: ColumnProfile, name: str, suggestion: Suggestion) -> str:
    for field in ("columns", "type"):
        if field in suggestion.reasons:
            return suggestion.reasons[field]
    if profile.type == "file":
        return f"paths of {name} files, such as {shorten(profile.example)}"
    if profile.type == "text":
        return f"median of {profile.words:g} words; {profile.distinct:,} different values"
    return ""


def _unclear_paths(profile: ColumnProfile, root: str) -> str | None:
    """How to write the values of a column that are not quite paths of files; None if they are not
    meant as such."""
    if holds_media(profile):
        return None
    share = profile.share_with_suffix(file_suffixes())
    if share >= _MEANT_SHARE:
        endings = (profile.cells.str.to_lowercase().str.ends_with(one) for one in file_suffixes())
        is_path = pl.select(pl.any_horizontal(list(endings))).to_series()
        odd = profile.cells.filter(~is_path)
        which = f"{100 * share:.0f} % of its values are files by their suffix"
        return f"{which}; fix the others, such as '{shorten(odd[0])}'" if len(odd) else None
    if profile.distinct < 2 or not (profile.whole or profile.type in ("identifier", "category")):
        return None
    cells = profile.cells.drop_nulls().head(_TRIED_FILES).to_list()
    found = suggest_file(cells, root, file_suffixes())
    return found and f"its values are not quite paths of files: write {shorten(found)} and so on"


def _unused(profile: ColumnProfile, root: str) -> str:
    if meant := _unclear_paths(profile, root):
        return meant
    if profile.odd:
        return f"nearly all are numbers or dates, but not '{shorten(profile.odd_example)}'"
    if profile.repeats:
        return f"too many different values for a category: {profile.distinct:,}"
    return (
        f"looks like an identifier: {profile.distinct:,} unique values in {profile.filled:,} rows"
    )
