"""The samplers, by name. To add one, write a module with its row, and add the row here."""

from msdm_cli.diffusion.samplers.chosen import CHOSEN
from msdm_cli.diffusion.samplers.consistent import CONSISTENT
from msdm_cli.diffusion.samplers.gibbs import GIBBS
from msdm_cli.diffusion.samplers.msdm_paper import DIRAC, GAUSSIAN, PUBLISHED
from msdm_cli.diffusion.samplers.regression import REGRESSION
from msdm_cli.diffusion.samplers.table import SAMPLERS, Preset, Problem, Sampler

__all__ = ["SAMPLERS", "Preset", "Problem", "Sampler"]

for row in (REGRESSION, CONSISTENT, CHOSEN, DIRAC, GAUSSIAN, PUBLISHED, GIBBS):
    SAMPLERS[row.name] = row
