"""The three tasks: separate, impute, generate. Audio in, audio out."""
