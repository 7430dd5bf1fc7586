from run_msdm import msdm


def test_options_stand_in_groups():
    text = msdm("separate", "--help", columns=80).stdout
    heads = [line for line in text.splitlines() if line.endswith(":") and line[0] != " "]
    assert heads == [
        "Arguments:",
        "Results:",
        "Part and length:",
        "Sampling:",
        "Model and device:",
        "Options:",
    ]
    groups = dict(zip(heads, text.split("\n\n")[-len(heads) :], strict=True))
    assert "--device" in groups["Model and device:"]
    assert "--stems" in groups["Results:"]
    assert "--json" in groups["Options:"]


def test_a_length_has_two_spellings(tiny, tmp_path):
    assert "--duration, --seconds TIME" in msdm("generate", "--help").stdout
    command = ("generate", "--model", "tiny", "--device", "cpu", "--dry-run", "--json")
    for option in ("--duration", "--seconds"):
        assert '"audio_seconds": 1.5' in msdm(*command, option, "0:01.5", "-o", tmp_path).stdout
