"""A picture of scores."""

from collections.abc import Sequence
from pathlib import Path

from msdm_cli.errors import BackendUnavailable
from msdm_cli.evaluation.scores import Score


def plot_scores(scores: Sequence[Score], stems: Sequence[str], path: Path) -> None:
    """Draw the distribution of SI-SDRi over active windows: a panel per stem, a box per method.

    Args:
        scores: All scores.
        stems: Names of the stems.
        path: An image; its suffix says of what kind.

    Raises:
        BackendUnavailable: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise BackendUnavailable("a plot needs matplotlib", "Install it: pip install matplotlib") from error
    methods = list(dict.fromkeys(score.method for score in scores))
    figure = Figure(figsize=(3 * len(stems), 3.5), layout="constrained")
    panels = figure.subplots(1, len(stems), sharey=True, squeeze=False)[0]
    for panel, stem in zip(panels, stems, strict=True):
        values = [[s.si_sdri for s in scores if s.method == m and s.stem == stem and s.active] for m in methods]
        panel.boxplot(values, showfliers=False)
        panel.set_xticks(range(1, len(methods) + 1), methods, rotation=30, ha="right")
        panel.set_title(stem)
        panel.axhline(0, color="grey", linewidth=0.5)
    panels[0].set_ylabel("SI-SDRi, dB")
    figure.savefig(path)
