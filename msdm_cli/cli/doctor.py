"""``msdm doctor``."""

import dataclasses

import typer

from msdm_cli.cli.console import show_error, show_json, show_table
from msdm_cli.cli.options import (
    Backend,
    BackendOption,
    DeviceOption,
    JsonOption,
    ModelOption,
    Precision,
    PrecisionOption,
    ProviderOption,
    choose_runtime,
)
from msdm_cli.errors import MsdmError
from msdm_cli.models.registry import EMBEDDED


def doctor(
    model_name: ModelOption = EMBEDDED,
    *,
    device: DeviceOption = "auto",
    backend: BackendOption = Backend.auto,
    provider: ProviderOption = None,
    precision: PrecisionOption = Precision.auto,
    as_json: JsonOption = False,
) -> None:
    """Tell what works here, and how fast.

    Every device and every provider of ONNX Runtime is tried with the embedded model. Exit code 1 if something is wrong.
    """
    from msdm_cli.cli.examine import Finding, Pace, examine, measure_paces
    from msdm_cli.models.load import load_model

    runtime = choose_runtime(device, backend, provider, precision)
    findings = list(examine())
    if not as_json:
        show_table("here", ("", ""), [(finding.subject, finding.told) for finding in findings])
    paces: list[Pace] = []
    try:
        model = load_model(model_name, runtime)
        runtime, paces = model.runtime, measure_paces(model)
    except MsdmError as error:
        findings.append(Finding(f"{model_name} on {runtime}", error.message, error.hint))
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
        show_error(MsdmError(f"{finding.subject}: {finding.told}", finding.remedy))
    if wrong:
        raise typer.Exit(1)
