"""Documents of benches."""

from scripts.bench.report import Report


def test_a_document_is_printed_as_it_grows_and_saved(tmp_path, capsys):
    report = Report("What was measured.", "By what.")
    report.begin_table("name", "value")
    report.row("a", 1)
    assert capsys.readouterr().out.endswith("| a | 1 |\n")
    report.table(("other",), [("b",), ("c",)])
    report.save(tmp_path / "report.md")
    assert (tmp_path / "report.md").read_text() == (
        "What was measured.\nBy what.\n\n"
        "| name | value |\n|---|---|\n| a | 1 |\n\n"
        "| other |\n|---|\n| b |\n| c |\n"
    )


def test_a_log_grows(tmp_path):
    log = tmp_path / "log.md"
    for name in ("one", "two"):
        Report(f"## {name}").append(log)
    assert log.read_text() == "## one\n\n## two\n\n"
    Report("nowhere").save(None)
    Report("nowhere").append(None)
    assert list(tmp_path.iterdir()) == [log]
