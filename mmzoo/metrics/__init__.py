"""How good predictions are: functions of arrays, in numpy alone, with an interval and a baseline.

The four `*_metrics` functions give what `metrics.json` holds for one head: plain Python numbers.
Where a figure has no meaning for the data at hand (the area under a ROC curve of one class only)
it is None, so that the keys of a head are always the same; 0 / 0 is 0 in precision, recall and F1.
"""

from mmzoo.metrics.bootstrap import bootstrap_means as bootstrap_means
from mmzoo.metrics.bootstrap import percentile_interval as percentile_interval
from mmzoo.metrics.calibration import Reliability as Reliability
from mmzoo.metrics.calibration import expected_calibration_error as expected_calibration_error
from mmzoo.metrics.calibration import reliability as reliability
from mmzoo.metrics.classification import binary_metrics as binary_metrics
from mmzoo.metrics.classification import classification_metrics as classification_metrics
from mmzoo.metrics.classification import cross_entropy as cross_entropy
from mmzoo.metrics.confusion import PerClass as PerClass
from mmzoo.metrics.confusion import balanced_accuracy as balanced_accuracy
from mmzoo.metrics.confusion import confusion_matrix as confusion_matrix
from mmzoo.metrics.confusion import macro_f1 as macro_f1
from mmzoo.metrics.confusion import majority_share as majority_share
from mmzoo.metrics.confusion import per_class as per_class
from mmzoo.metrics.intervals import mean_interval as mean_interval
from mmzoo.metrics.intervals import wilson_interval as wilson_interval
from mmzoo.metrics.multilabel import multilabel_metrics as multilabel_metrics
from mmzoo.metrics.multilabel import per_label as per_label
from mmzoo.metrics.paired import PairedDifference as PairedDifference
from mmzoo.metrics.paired import paired_bootstrap as paired_bootstrap
from mmzoo.metrics.predictions import Metrics as Metrics
from mmzoo.metrics.ranking import area_under_roc as area_under_roc
from mmzoo.metrics.ranking import average_precision as average_precision
from mmzoo.metrics.ranking import top_k_accuracy as top_k_accuracy
from mmzoo.metrics.regression import regression_metrics as regression_metrics
