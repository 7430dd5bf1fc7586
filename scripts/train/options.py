"""What decides the course of a training, apart from its network."""

from dataclasses import dataclass

LEAST_RATE = 0.02
"""What the learning rate falls to, as a share of its highest value."""


@dataclass(frozen=True)
class TrainingOptions:
    """Everything that decides what a run computes, apart from its network.

    Attributes:
        steps: When the run ends.
        decay_steps: How many of the last steps the learning rate falls in.
        batch: Crops a step, of each process.
        length: Of a crop, in samples; of a sketch, in tokens.
        muon: Whether Muon steps for the matrices, and AdamW for the rest only.
        learning_rate: Highest learning rate.
        warmup_steps: How many of the first steps the learning rate rises in.
        weight_decay: Of AdamW and Muon.
        ema_decay: Of the moving average of the weights; 0 for the weights themselves.
        crop_norm: Norm that the gradient of each crop is clipped to; about half of the crops have a
            larger one. Crops are computed one by one then, which takes a fifth more time on a CPU.
            None clips the gradient of the batch to 1.
        codes: Weights of a prior over sketches. Told sketches are blurred in its codes, or it draws
            them again.
        seed: Decides crops, questions, noise and first weights.
    """

    steps: int = 4000
    decay_steps: int = 1500
    batch: int = 6
    length: int = 49152
    muon: bool = True
    learning_rate: float = 1.5e-3
    warmup_steps: int = 200
    weight_decay: float = 0.01
    ema_decay: float = 0.999
    crop_norm: float | None = 0.3
    codes: str = ""
    seed: int = 0

    def rate(self, step: int) -> float:
        """Learning rate at a step: linear warm-up, constant, linear decay."""
        warm = min(1.0, (step + 1) / self.warmup_steps)
        left = max(LEAST_RATE, (self.steps - step) / self.decay_steps)
        return self.learning_rate * warm * min(1.0, left)
