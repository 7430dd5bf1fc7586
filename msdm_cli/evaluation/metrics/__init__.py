"""The table of metrics: a new one is a file here and a row below."""

from typing import Any

from msdm_cli.evaluation.metrics.fad import FAD
from msdm_cli.evaluation.metrics.mapss import MAPSS
from msdm_cli.evaluation.metrics.metric import Metric
from msdm_cli.evaluation.metrics.sdr import SDR
from msdm_cli.evaluation.metrics.si_sdr import SI_SDR

METRICS: dict[str, Metric[Any]] = {metric.name: metric for metric in (SI_SDR, SDR, FAD, MAPSS)}
