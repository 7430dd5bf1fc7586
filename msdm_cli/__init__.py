"""msdm: separate a song into stems, impute missing stems, generate music, with one diffusion prior."""

__version__ = "0.1.0"
