"""The optimizer and its learning rate schedule."""

import keras

from medfold.competition import TrainingSettings


def build_optimizer(training: TrainingSettings, learning_rate: float, num_batches: int) -> keras.optimizers.Optimizer:
    """Builds AdamW (Loshchilov and Hutter 2019) with clipped gradients and averaged weights.

    The learning rate is constant, or rises linearly during warm-up and then decays along a cosine.

    Args:
        training: warm-up, schedule, weight decay, clipping and averaging of the recipe.
        learning_rate: the highest learning rate.
        num_batches: number of batches in the whole training.
    """
    warmup = round(training.warmup * num_batches)
    schedule: float | keras.optimizers.schedules.LearningRateSchedule = learning_rate
    if training.schedule == "cosine":
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else learning_rate,
            max(1, num_batches - warmup),
            warmup_target=learning_rate if warmup else None,
            warmup_steps=warmup,
        )
    # The average of a short training must not be dominated by the initial weights.
    ema = min(training.ema_decay, max(0.0, 1 - 10 / (num_batches / training.accumulation_steps)))
    # The average is updated after every batch, not only at steps of the optimizer.
    ema **= 1 / training.accumulation_steps
    optimizer = keras.optimizers.AdamW(
        schedule,
        name="adam_w",  # as Keras names the first one; a number would differ from fold to fold
        weight_decay=training.weight_decay,
        global_clipnorm=training.global_clipnorm,
        use_ema=ema > 0,
        ema_momentum=ema,
        gradient_accumulation_steps=training.accumulation_steps if training.accumulation_steps > 1 else None,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
