"""A picture of scores."""

from collections.abc import Sequence
from pathlib import Path

from msdm_cli.errors import BackendUnavailable, UnwritableAudio
from msdm_cli.evaluation.scores import Score

ELSEWHERE = "Choose another place for the plot."


def check_plot(path: Path) -> None:
    """Make sure that a picture can be drawn, before the work that it will show.

    Raises:
        BackendUnavailable: matplotlib is not installed.
        UnwritableAudio: It draws no such images, or there can be no such folder.
    """
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError as error:
        raise BackendUnavailable(
            "a plot needs matplotlib", "Install it: pip install matplotlib"
        ) from error
    kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix[1:].lower() not in kinds:
        raise UnwritableAudio(
            f"{path}: not a name of a picture", f"End it in one of .{', .'.join(kinds)}."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableAudio(f"{path}: {error.strerror}", ELSEWHERE) from error


def plot_scores(scores: Sequence[Score], stems: Sequence[str], path: Path) -> None:
    """Draw the distribution of SI-SDRi over active windows: a panel per stem, a box per method.

    Args:
        scores: All scores.
        stems: Names of the stems.
        path: An image that ``check_plot`` has found possible.

    Raises:
        UnwritableAudio: It cannot be written.
    """
    from matplotlib.figure import Figure

    methods = list(dict.fromkeys(score.method for score in scores))
    figure = Figure(figsize=(3 * len(stems), 3.5), layout="constrained")
    panels = figure.subplots(1, len(stems), sharey=True, squeeze=False)[0]
    for panel, stem in zip(panels, stems, strict=True):
        values = [
            [s.si_sdri for s in scores if s.method == m and s.stem == stem and s.active]
            for m in methods
        ]
        panel.boxplot(values, showfliers=False)
        panel.set_xticks(range(1, len(methods) + 1), methods, rotation=30, ha="right")
        panel.set_title(stem)
        panel.axhline(0, color="grey", linewidth=0.5)
    panels[0].set_ylabel("SI-SDRi, dB")
    try:
        figure.savefig(path)
    except OSError as error:
        raise UnwritableAudio(f"{path}: {error.strerror}", ELSEWHERE) from error
