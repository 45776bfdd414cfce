"""From a config and its data to batches: the only tf.data code."""

from mmzoo.data.batches import Columns as Columns
from mmzoo.data.batches import evaluation_batches as evaluation_batches
from mmzoo.data.batches import training_batches as training_batches
from mmzoo.data.files import damaged_files as damaged_files
from mmzoo.data.files import naming_files as naming_files
from mmzoo.data.files import refuse_damaged as refuse_damaged
from mmzoo.data.keeping import decoded as decoded
from mmzoo.data.memory import free_memory as free_memory
from mmzoo.data.order import TrainingOrder as TrainingOrder
from mmzoo.data.order import epoch_order as epoch_order
