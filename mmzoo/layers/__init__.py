"""Keras layers and losses that Keras itself lacks.

They are imported, with Keras, when they are first used: `layers.LogMel(...)` after
`from mmzoo import layers`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmzoo.layers.attention_layers import AdditiveAttention as AdditiveAttention
    from mmzoo.layers.attention_layers import AttentionLayer as AttentionLayer
    from mmzoo.layers.attention_layers import CrossAttention as CrossAttention
    from mmzoo.layers.attention_layers import SelfAttention as SelfAttention
    from mmzoo.layers.convolutional import BatchNorm as BatchNorm
    from mmzoo.layers.convolutional import GroupedConv as GroupedConv
    from mmzoo.layers.convolutional import IdentityShortcut as IdentityShortcut
    from mmzoo.layers.convolutional import LocalResponseNorm as LocalResponseNorm
    from mmzoo.layers.convolutional import RescaledDense as RescaledDense
    from mmzoo.layers.embeddings import CategoryVectors as CategoryVectors
    from mmzoo.layers.embeddings import HashedNgrams as HashedNgrams
    from mmzoo.layers.embeddings import OneHotCategories as OneHotCategories
    from mmzoo.layers.embeddings import RowParts as RowParts
    from mmzoo.layers.embeddings import Standardize as Standardize
    from mmzoo.layers.fusion_layers import CombinedDecisions as CombinedDecisions
    from mmzoo.layers.fusion_layers import FeatureModulation as FeatureModulation
    from mmzoo.layers.fusion_layers import GatedSum as GatedSum
    from mmzoo.layers.fusion_layers import LearnedAverage as LearnedAverage
    from mmzoo.layers.fusion_layers import OuterProduct as OuterProduct
    from mmzoo.layers.fusion_layers import PooledProduct as PooledProduct
    from mmzoo.layers.fusion_layers import SignedRoot as SignedRoot
    from mmzoo.layers.fusion_layers import Stacked as Stacked
    from mmzoo.layers.losses import LabelledLoss as LabelledLoss
    from mmzoo.layers.losses import LabelledMetric as LabelledMetric
    from mmzoo.layers.losses import LogVariances as LogVariances
    from mmzoo.layers.losses import ScaledLoss as ScaledLoss
    from mmzoo.layers.losses import has_label as has_label
    from mmzoo.layers.missing_features import AllPresent as AllPresent
    from mmzoo.layers.missing_features import LearnedMissing as LearnedMissing
    from mmzoo.layers.missing_features import MissingFeatures as MissingFeatures
    from mmzoo.layers.missing_features import Present as Present
    from mmzoo.layers.positions import LearnedPositions as LearnedPositions
    from mmzoo.layers.positions import SinusoidalPositions as SinusoidalPositions
    from mmzoo.layers.sequences import FirstWord as FirstWord
    from mmzoo.layers.sequences import LastWord as LastWord
    from mmzoo.layers.sequences import MaskedAverage as MaskedAverage
    from mmzoo.layers.sequences import MaskedMax as MaskedMax
    from mmzoo.layers.sequences import ReversedWords as ReversedWords
    from mmzoo.layers.sequences import TiedGRUCell as TiedGRUCell
    from mmzoo.layers.sequences import TiedLSTMCell as TiedLSTMCell
    from mmzoo.layers.sequences import ZeroedPadding as ZeroedPadding
    from mmzoo.layers.spectrograms import Cepstrum as Cepstrum
    from mmzoo.layers.spectrograms import LogMel as LogMel
    from mmzoo.layers.spectrograms import SpecAugment as SpecAugment
    from mmzoo.layers.spectrograms import fourier_length as fourier_length
    from mmzoo.layers.spectrograms import mel_edges as mel_edges

_MODULES = (
    "attention_layers",
    "convolutional",
    "embeddings",
    "fusion_layers",
    "losses",
    "missing_features",
    "positions",
    "sequences",
    "spectrograms",
)


def __getattr__(name: str) -> Any:
    for module in _MODULES:
        content = vars(import_module(f"mmzoo.layers.{module}"))
        if name in content and not name.startswith("_"):
            return content[name]
    raise AttributeError(f"module 'mmzoo.layers' has no attribute {name!r}")
