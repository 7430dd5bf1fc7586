"""The mathematics of sampling on arrays, without files, networks or backends."""
