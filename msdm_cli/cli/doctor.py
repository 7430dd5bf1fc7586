"""``msdm doctor``."""

import dataclasses

import typer

from msdm_cli.cli.console import show_error, show_json, show_table
from msdm_cli.cli.display import Display
from msdm_cli.cli.hints import find_hint
from msdm_cli.cli.model_options import load_chosen
from msdm_cli.cli.options import (
    JsonSummaryOption,
)
from msdm_cli.cli.runtime_options import (
    BackendOption,
    DeviceOption,
    ModelOption,
    PrecisionOption,
    ProviderOption,
    ThreadsOption,
    choose_runtime,
)
from msdm_cli.errors import MsdmError, UnknownModel
from msdm_cli.models.registry import EMBEDDED


def doctor(  # noqa: PLR0913  an option each
    model_name: ModelOption = EMBEDDED,
    *,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    provider: ProviderOption = None,
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = 0,
    as_json: JsonSummaryOption = False,
) -> None:
    """Show what works on this machine, and how fast.

    The embedded model is run on every device of PyTorch and every provider of ONNX Runtime. The
    exit code is 1 if something that should work does not.
    """
    from msdm_cli.cli.examine import Finding, Pace, examine, measure_paces

    runtime = choose_runtime(device, backend, provider, precision, threads)
    findings = list(examine())
    if not as_json:
        found = [(finding.subject, finding.description) for finding in findings]
        show_table("this machine", ("", ""), found)
    paces: list[Pace] = []
    try:
        model = load_chosen(model_name, runtime, Display(quiet=False, as_json=as_json))
        runtime = model.runtime
        paces = measure_paces(model)
    except UnknownModel:
        raise
    except MsdmError as error:
        findings.append(Finding(f"{model_name} on {runtime}", error.message, find_hint(error)))
    if as_json:
        show_json(
            {
                "findings": [dataclasses.asdict(finding) for finding in findings],
                "paces": [dataclasses.asdict(pace) for pace in paces],
                "runtime": dataclasses.asdict(runtime),
            }
        )
    elif paces:
        rows = [
            (pace.task, pace.quality, str(pace.calls), f"{pace.times_real_time:.2f}x")
            for pace in paces
        ]
        columns = ("task", "quality", "calls a chunk", "x real time, mono")
        show_table(f"{model_name} on {runtime}", columns, rows)
    wrong = [finding for finding in findings if finding.remedy]
    for finding in wrong:
        message = f"{finding.subject}: {finding.description}"
        show_error(MsdmError(message, finding.remedy))
    if wrong:
        raise typer.Exit(1)
