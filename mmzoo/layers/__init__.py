"""Keras layers, losses and metrics that Keras itself does not have.

Names are imported lazily, so that `from mmzoo import layers` does not import Keras; the first
access does, as in `layers.LogMel(...)`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmzoo.layers.adversarial_losses import discriminator_loss as discriminator_loss
    from mmzoo.layers.adversarial_losses import generator_loss as generator_loss
    from mmzoo.layers.adversarial_losses import gradient_penalty as gradient_penalty
    from mmzoo.layers.adversarial_losses import spectrally_normalized as spectrally_normalized
    from mmzoo.layers.attention_layers import AdditiveAttention as AdditiveAttention
    from mmzoo.layers.attention_layers import AttentionLayer as AttentionLayer
    from mmzoo.layers.attention_layers import CrossAttention as CrossAttention
    from mmzoo.layers.attention_layers import SelfAttention as SelfAttention
    from mmzoo.layers.contrastive_layers import MissingAsNaN as MissingAsNaN
    from mmzoo.layers.contrastive_layers import SimilarityLogits as SimilarityLogits
    from mmzoo.layers.contrastive_layers import info_nce_losses as info_nce_losses
    from mmzoo.layers.contrastive_layers import sigmoid_pair_losses as sigmoid_pair_losses
    from mmzoo.layers.contrastive_layers import (
        supervised_contrastive_losses as supervised_contrastive_losses,
    )
    from mmzoo.layers.convolutional import BatchNorm as BatchNorm
    from mmzoo.layers.convolutional import GroupedConv as GroupedConv
    from mmzoo.layers.convolutional import IdentityShortcut as IdentityShortcut
    from mmzoo.layers.convolutional import LocalResponseNorm as LocalResponseNorm
    from mmzoo.layers.fusion_layers import CombinedDecisions as CombinedDecisions
    from mmzoo.layers.fusion_layers import FeatureModulation as FeatureModulation
    from mmzoo.layers.fusion_layers import GatedSum as GatedSum
    from mmzoo.layers.fusion_layers import LearnedAverage as LearnedAverage
    from mmzoo.layers.fusion_layers import OuterProduct as OuterProduct
    from mmzoo.layers.fusion_layers import PooledProduct as PooledProduct
    from mmzoo.layers.fusion_layers import SignedSqrt as SignedSqrt
    from mmzoo.layers.fusion_layers import StackVectors as StackVectors
    from mmzoo.layers.gaussian_codes import GaussianCode as GaussianCode
    from mmzoo.layers.gaussian_codes import ProductOfExperts as ProductOfExperts
    from mmzoo.layers.gaussian_codes import kl_divergence as kl_divergence
    from mmzoo.layers.gradient_reversal import DiscriminatorAccuracy as DiscriminatorAccuracy
    from mmzoo.layers.gradient_reversal import DiscriminatorOutput as DiscriminatorOutput
    from mmzoo.layers.gradient_reversal import GradientReversal as GradientReversal
    from mmzoo.layers.gradient_reversal import reverse_gradient as reverse_gradient
    from mmzoo.layers.input_layers import CategoryEmbedding as CategoryEmbedding
    from mmzoo.layers.input_layers import HashedNgrams as HashedNgrams
    from mmzoo.layers.input_layers import OneHotCategories as OneHotCategories
    from mmzoo.layers.input_layers import SplitColumns as SplitColumns
    from mmzoo.layers.input_layers import Standardize as Standardize
    from mmzoo.layers.losses import ExampleLoss as ExampleLoss
    from mmzoo.layers.losses import LabelledLoss as LabelledLoss
    from mmzoo.layers.losses import LabelledMetric as LabelledMetric
    from mmzoo.layers.losses import ScaledMetric as ScaledMetric
    from mmzoo.layers.losses import UncertaintyWeights as UncertaintyWeights
    from mmzoo.layers.losses import has_label as has_label
    from mmzoo.layers.losses import has_target as has_target
    from mmzoo.layers.losses import masked_mean as masked_mean
    from mmzoo.layers.losses import masked_sum as masked_sum
    from mmzoo.layers.losses import normal_costs as normal_costs
    from mmzoo.layers.missing_features import AllTrueMask as AllTrueMask
    from mmzoo.layers.missing_features import LearnedImputation as LearnedImputation
    from mmzoo.layers.missing_features import MissingFeatures as MissingFeatures
    from mmzoo.layers.missing_features import PaddingMask as PaddingMask
    from mmzoo.layers.positions import LearnedPositions as LearnedPositions
    from mmzoo.layers.positions import SinusoidalPositions as SinusoidalPositions
    from mmzoo.layers.sequences import FirstToken as FirstToken
    from mmzoo.layers.sequences import LastToken as LastToken
    from mmzoo.layers.sequences import MaskedAverage as MaskedAverage
    from mmzoo.layers.sequences import MaskedMax as MaskedMax
    from mmzoo.layers.sequences import ReverseSequence as ReverseSequence
    from mmzoo.layers.sequences import VariationalDropoutGRUCell as VariationalDropoutGRUCell
    from mmzoo.layers.sequences import VariationalDropoutLSTMCell as VariationalDropoutLSTMCell
    from mmzoo.layers.sequences import ZeroPaddedSteps as ZeroPaddedSteps
    from mmzoo.layers.spectrograms import MFCC as MFCC
    from mmzoo.layers.spectrograms import LogMel as LogMel
    from mmzoo.layers.spectrograms import SpecAugment as SpecAugment
    from mmzoo.layers.spectrograms import fft_length as fft_length
    from mmzoo.layers.spectrograms import mel_band_edges as mel_band_edges

_MODULES = (
    "adversarial_losses",
    "attention_layers",
    "contrastive_layers",
    "convolutional",
    "input_layers",
    "fusion_layers",
    "gradient_reversal",
    "gaussian_codes",
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
