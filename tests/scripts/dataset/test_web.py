"""Instruments of other banks, and which split has them."""

import pytest
from conftest import STEMS

from scripts.dataset import web
from scripts.dataset.catalogue import catalogue
from scripts.dataset.fetched import list_fetched
from scripts.dataset.inspection import Inspection
from scripts.dataset.timbres import Timbre

GUITAR_PITCHES = dict.fromkeys((42, 54, 66, 78), 0.0)
NAMES = ("0000_Aspirin", "0000_JCLive", "0250_Aspirin", "0250_Chaos", "0260_Stratocaster")
NAMES += ("0330_Aspirin", "0330_JCLive")


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """The folder of instruments of which one, of another bank, is no good."""

    def prepare(folder, out):
        problem = "is empty" if "Chaos" in folder.name else ""
        return Inspection(folder.name, int(folder.name[:3]), (40, 80), 4, 0, 0.0, problem), []

    for name in NAMES:
        (tmp_path / "source" / name).mkdir(parents=True)
        (tmp_path / "source" / name / "zones.json").touch()
    monkeypatch.setattr(web, "prepare", prepare)
    monkeypatch.setattr(web, "measure_copies", lambda prints, others: 0.0)
    web.prepare_missing(tmp_path / "source", tmp_path / "web")
    return tmp_path / "web"


def test_a_copy_is_left_out_and_those_held_out_come_first(write_instrument, tmp_path):
    for name in ("0250_JCLive", "0250_Chaos"):
        write_instrument(tmp_path / "in" / name, GUITAR_PITCHES)
    held_out, copy = web.prepare_all(tmp_path / "in", tmp_path / "out")
    assert (held_out.name, held_out.problem) == ("0250_JCLive", "")
    assert copy.problem == "100% of its samples are those of 0250_JCLive"
    assert (tmp_path / "out" / "0250_JCLive" / "instrument.sfz").exists()
    assert web.read_summary(tmp_path / "out") == [held_out, copy]


def test_copies_of_a_held_out_sound_font_are_left_out(write_instrument, tmp_path):
    write_instrument(tmp_path / "in" / "0240_Chaos", GUITAR_PITCHES)
    (inspection,) = web.prepare_all(tmp_path / "in", tmp_path / "out")
    assert inspection.problem == "its samples are those of sf_GMbank"


def test_instruments_are_prepared_once_and_the_bad_are_named(prepared, tmp_path, capsys):
    assert len(web.read_summary(prepared)) == len(NAMES)
    capsys.readouterr()
    web.prepare_missing(tmp_path / "nowhere", prepared)
    assert capsys.readouterr().out == ""
    web.prepare_missing(tmp_path / "source", tmp_path / "again")
    assert capsys.readouterr().out == "left out: 0250_Chaos: is empty\n"


def test_validation_plays_held_out_banks_only(prepared, tmp_path):
    stems = web.list_timbres(tmp_path, "validation", None, prepared)
    names = {stem: [timbre.name for timbre in timbres] for stem, timbres in stems.items()}
    assert names["bass"] == ["web:0330_JCLive"]
    assert names["guitar"] == ["web:0260_Stratocaster"]
    assert names["piano"] == ["web:0000_JCLive", "Pianet T:Pianet T"]
    assert stems["drums"] == catalogue(tmp_path, "validation")["drums"]


@pytest.mark.parametrize("fetched", [False, True])
def test_three_fifths_of_training_are_new(prepared, tmp_path, fetched):
    folder = tmp_path / "fetched" if fetched else None
    more = list_fetched(folder) if fetched else {stem: [] for stem in STEMS}
    old = {stem: timbres + more[stem] for stem, timbres in catalogue(tmp_path, "train").items()}
    stems = web.list_timbres(tmp_path, "train", folder, prepared)
    held_out = web.list_timbres(tmp_path, "validation", folder, prepared)
    assert stems["drums"] == old["drums"]
    for stem in ("bass", "guitar", "piano"):
        known = old[stem]
        assert stems[stem][: len(known)] == known
        new = stems[stem][len(known) :]
        total = sum(timbre.weight for timbre in stems[stem])
        assert sum(timbre.weight for timbre in new) / total == pytest.approx(0.6)
        names = {timbre.name for timbre in stems[stem]}
        assert not names & {timbre.name for timbre in held_out[stem]}
    assert "web:0250_Aspirin" in {timbre.name for timbre in stems["guitar"]}
    assert "web:0250_Chaos" not in {timbre.name for timbre in stems["guitar"]}


def test_without_them_timbres_are_those_of_the_catalogue(tmp_path):
    for split in ("train", "validation"):
        assert web.list_timbres(tmp_path, split, None, None) == catalogue(tmp_path, split)
    fetched = tmp_path / "fetched"
    assert web.list_timbres(tmp_path, "train", fetched, None) == catalogue(
        tmp_path, "train", fetched
    )


@pytest.mark.parametrize("there", [True, False])
def test_training_has_the_dx7_where_its_engine_is(prepared, monkeypatch, tmp_path, there):
    monkeypatch.setattr(web, "is_available", lambda: there)
    for split in ("train", "validation"):
        pianos = web.list_timbres(tmp_path, split, None, prepared)["piano"]
        assert ("dx7" in {timbre.name for timbre in pianos}) == (there and split == "train")


def test_a_prepared_instrument_is_sampled(prepared):
    stems = web.list_prepared(prepared, held_out=True)
    path = prepared / "0260_Stratocaster" / "instrument.sfz"
    expected = Timbre("web:0260_Stratocaster", "sampled", path, 1.2, compass=(40, 80))
    assert stems["guitar"] == [expected]
