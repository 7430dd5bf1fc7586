import pytest
import torch

from msdm_cli.models.fine_spectrum import FineSpectrum
from msdm_cli.models.stft_layer import Stft


@pytest.mark.parametrize(("bins_from_zero", "found_in"), [(20.125, (20, 2)), (19.625, (20, 0)), (33.375, (33, 3))])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_sinusoid_is_in_its_part_of_its_bin_as_loud_as_there(bins_from_zero, found_in, stride):
    stft, time = Stft(1024, 256), torch.arange(49152) / 1024
    transform = stft(torch.sin(2 * torch.pi * bins_from_zero * time)[None])
    power = FineSpectrum(4, stride)(transform)
    middle = power[0, ..., power.shape[-1] // 2]
    bin_index, part = found_in
    assert power.shape == (1, 4, 513, 192 // stride)
    assert middle.argmax() == part * 513 + bin_index
    of_bin = transform[0, :, bin_index, 96].square().sum()
    torch.testing.assert_close(middle[part, bin_index], of_bin, rtol=1e-3, atol=0)
    assert middle[(part + 2) % 4, bin_index] < 1e-3 * of_bin  # half a bin away: 11 Hz


def test_tones_in_one_bin_are_apart_and_steady():
    stft, time = Stft(1024, 256), torch.arange(49152) / 1024
    pair = torch.stack([torch.sin(2 * torch.pi * position * time) for position in (19.625, 20.375)]).sum(0)
    transform = stft(pair[None])
    beating = transform[0, :, 20, 80:112].square().sum(0)
    power = FineSpectrum(4, 2)(transform)[0, :, 20, 40:56]
    assert beating.max() > 50 * beating.min()
    assert power[[0, 3]].max() < 1.05 * power[[0, 3]].min()
    assert power[[0, 3]].min() > 4 * power[[1, 2]].max()
