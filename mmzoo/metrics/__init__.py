"""Metrics as numpy functions of arrays, with confidence intervals and baselines.

The four `*_metrics` functions return what `metrics.json` holds for one head: plain Python numbers.
A metric that is not defined for the data (the ROC AUC of a single class) is None, so that the keys
of a head are always the same; in precision, recall and F1, 0 / 0 is 0.
"""

from mmzoo.metrics.classification_metrics import PerClass as PerClass
from mmzoo.metrics.classification_metrics import balanced_accuracy as balanced_accuracy
from mmzoo.metrics.classification_metrics import binary_metrics as binary_metrics
from mmzoo.metrics.classification_metrics import classification_metrics as classification_metrics
from mmzoo.metrics.classification_metrics import confusion_matrix as confusion_matrix
from mmzoo.metrics.classification_metrics import cross_entropy as cross_entropy
from mmzoo.metrics.classification_metrics import macro_f1 as macro_f1
from mmzoo.metrics.classification_metrics import majority_share as majority_share
from mmzoo.metrics.classification_metrics import multilabel_metrics as multilabel_metrics
from mmzoo.metrics.classification_metrics import per_class as per_class
from mmzoo.metrics.classification_metrics import per_label as per_label
from mmzoo.metrics.frechet import frechet_distance as frechet_distance
from mmzoo.metrics.intervals import BootstrapMetrics as BootstrapMetrics
from mmzoo.metrics.intervals import Estimate as Estimate
from mmzoo.metrics.intervals import PairedDifference as PairedDifference
from mmzoo.metrics.intervals import bootstrap_means as bootstrap_means
from mmzoo.metrics.intervals import mean_interval as mean_interval
from mmzoo.metrics.intervals import negate as negate
from mmzoo.metrics.intervals import paired_bootstrap as paired_bootstrap
from mmzoo.metrics.intervals import percentile_interval as percentile_interval
from mmzoo.metrics.intervals import wilson_interval as wilson_interval
from mmzoo.metrics.metric_info import MetricInfo as MetricInfo
from mmzoo.metrics.metric_info import decimals_of as decimals_of
from mmzoo.metrics.metric_info import main_metric as main_metric
from mmzoo.metrics.metric_info import metric_info as metric_info
from mmzoo.metrics.metric_info import number_text as number_text
from mmzoo.metrics.metric_info import rounded_text as rounded_text
from mmzoo.metrics.metric_inputs import Metrics as Metrics
from mmzoo.metrics.ranking_metrics import Reliability as Reliability
from mmzoo.metrics.ranking_metrics import area_under_roc as area_under_roc
from mmzoo.metrics.ranking_metrics import average_precision as average_precision
from mmzoo.metrics.ranking_metrics import expected_calibration_error as expected_calibration_error
from mmzoo.metrics.ranking_metrics import precision_recall_curve as precision_recall_curve
from mmzoo.metrics.ranking_metrics import reliability as reliability
from mmzoo.metrics.ranking_metrics import roc_curve as roc_curve
from mmzoo.metrics.ranking_metrics import top_k_accuracy as top_k_accuracy
from mmzoo.metrics.regression_metrics import ErrorBin as ErrorBin
from mmzoo.metrics.regression_metrics import errors_by_size as errors_by_size
from mmzoo.metrics.regression_metrics import regression_metrics as regression_metrics
