"""The sections of a recipe: preparation, backbone, training."""

from typing import Any, Literal

from pydantic import Field

from medfold.config import StrictModel

MAX_EPOCHS = 100_000  # more is a typing error


class PreparationSettings(StrictModel):
    """Preparation of the images, once, before they are stored."""

    size: int = Field(default=64, ge=8, le=2048, description="Height and width of the prepared images, in pixels.")
    steps: list[str | dict[str, dict[str, Any]]] = Field(
        default=[],
        description="Preparation steps before an image is resized, in order: names, or "
        "`{name: {argument: value}}`; see the steps below.",
    )
    fit: Literal["stretch", "pad", "crop"] = Field(
        default="stretch",
        description="How an image becomes a square. `stretch`: proportions change. `pad`: black borders. `crop`: the "
        "centre square.",
    )

    @property
    def keeps_positions(self) -> bool:
        """True if the preparation only resizes an image: all of it is seen, at the same relative positions."""
        return self.fit == "stretch" and not self.steps


class BackboneSettings(StrictModel):
    """The net without its head."""

    name: str = Field(default="resnet9", description="Name of the backbone; see the backbones below.")
    width: int = Field(default=16, ge=4, description="`resnet9`: channels of the first block.")
    weights: str = Field(
        default="none",
        description="Initial weights: `none`, `imagenet` (downloaded by Keras), or the path of a `.weights.h5` file.",
    )
    input_scaling: Literal["auto", "tf", "torch", "caffe", "unit"] = Field(
        default="auto",
        description="Scaling of the pixel values 0 to 255. `tf`: -1 to 1. `torch`: mean and deviation of "
        "ImageNet. `caffe`: blue first, the mean of ImageNet subtracted. `unit`: 0 to 1. `auto`: as the "
        "backbone's ImageNet weights expect.",
    )
    freeze_norm: bool = Field(
        default=False,
        description="Keep batch normalisation as in the initial weights: steadier for short runs on few images.",
    )
    pooling: Literal["average", "pyramid"] = Field(
        default="average",
        description="Input of the head. `average`: the average of the last feature map. `pyramid`: average and "
        "maximum of the last map of each resolution, from a quarter of the image on; shallow maps still show small "
        "lesions.",
    )


class TrainingSettings(StrictModel):
    """How the net is trained: sampling, epochs, batches, learning rate, loss, regularisation."""

    num_images: int | None = Field(
        default=None,
        ge=2,
        description="Train on this number of images, taken from each class in turn: all of a rare class, few of a "
        "frequent one. Without it: all images.",
    )
    head_epochs: int = Field(
        default=0,
        ge=0,
        le=MAX_EPOCHS,
        description="Epochs of the head alone, before the whole net, on the features of the frozen backbone. They "
        "are computed once for all folds and seeds, in every view of `images.symmetry` (with `augment: none` the head "
        "learns from the plain view only), and kept in `data/<name>/features/`.",
    )
    head_learning_rate: float = Field(
        default=0.002, gt=0, description="Highest learning rate while the head is trained alone."
    )
    epochs: int = Field(
        default=20,
        ge=0,
        le=MAX_EPOCHS,
        description="Epochs of the whole net. 0: the backbone keeps its initial weights.",
    )
    batch_size: int = Field(
        default=32,
        ge=1,
        description="Images per batch. Use 8 or more with pretrained weights: the batch normalisation before the head "
        "sees one batch at a time, also with `accumulation_steps`.",
    )
    accumulation_steps: int = Field(
        default=1, ge=1, description="Number of batches whose gradients are combined into one step of the optimizer."
    )
    sampler: Literal["shuffled", "balanced"] = Field(
        default="shuffled",
        description="`shuffled`: each image once an epoch. `balanced`: each class (with several labels, each set of "
        "labels) equally often in an epoch.",
    )
    learning_rate: float = Field(default=0.002, gt=0, description="Highest learning rate of the optimizer, AdamW.")
    warmup: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Warm-up: share of the steps, at the beginning, in which the learning rate rises from 0. With "
        "`schedule: cosine` only.",
    )
    weight_decay: float = Field(
        default=0.01, ge=0, description="Weight decay of AdamW; biases and normalisation have none."
    )
    global_clipnorm: float = Field(default=1.0, gt=0, description="Largest norm of the gradient over all weights.")
    loss: str = Field(
        default="cross_entropy",
        description="`cross_entropy`, `focal`, or one of plugins.py. `focal`: images that are predicted well count "
        "less (Lin et al. 2017). For targets of 0 and 1 only, so not with `mixup`, `cutmix` or `label_smoothing`.",
    )
    focal_gamma: float = Field(
        default=2.0,
        ge=0,
        description="Focal loss: the higher it is, the less well-predicted images count. 0: cross-entropy.",
    )
    mixup: float = Field(
        default=0.0,
        ge=0,
        description="Mixup (Zhang et al. 2018): two images are mixed, in shares drawn from a beta distribution with "
        "this alpha. 0: none. With `cutmix` too, each batch gets one of them at random.",
    )
    cutmix: float = Field(
        default=0.0,
        ge=0,
        description="CutMix (Yun et al. 2019): a box of the image is replaced with one of another image; the share "
        "that stays is drawn from a beta distribution with this alpha. 0: none.",
    )
    label_smoothing: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Share of each target that is spread evenly over the classes, or over yes and no.",
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none",
        description="`balanced`: all classes have the same sum of weights; with several labels, presence and absence "
        "of each. Not with `sampler: balanced`.",
    )
    dropout: float = Field(default=0.2, ge=0, lt=1, description="Share of the features dropped before the head.")
    ema_decay: float = Field(
        default=0.98,
        ge=0,
        lt=1,
        description="Decay per step of the moving average of the weights, used for predictions. In runs of few steps "
        "medfold lowers it by itself. 0: none.",
    )
    precision: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        default="auto",
        description="Number format of the training steps; predictions are always in float32. `auto`: float16 on GPUs "
        "of compute capability 7 and above, bfloat16 on CPUs with AMX, else float32.",
    )
    keep: Literal["final", "best"] = Field(
        default="final",
        description="The epoch whose weights the trained net keeps. `final`: the last one. `best`: the one with the "
        "best score on the validation images (those of the fold); that score is then marked optimistic. An undefined "
        "score never counts.",
    )
    patience: int = Field(
        default=0, ge=0, description="`keep: best`: stop after this number of epochs without a better one. 0: never."
    )
    schedule: Literal["cosine", "constant"] = Field(
        default="cosine",
        description="Learning rate over the steps. `cosine`: it rises (`warmup`), then falls to 0 along a cosine. "
        "`constant`: it stays, unless a callback changes it (`ReduceLROnPlateau`).",
    )
    callbacks: list[str | dict[str, dict[str, Any]]] = Field(
        default=[],
        description="Classes of `keras.callbacks` or plugins.py: names, or `{name: {argument: value}}`; `{folder}` in "
        "a text stands for the folder of the fold. They see `loss`, `val_<metric>` and `learning_rate` of each epoch.",
    )
    jit_compile: bool | Literal["auto"] = Field(
        default="auto", description="Compile the training step with XLA. `auto`: with JAX, not with TensorFlow."
    )
    deterministic: bool = Field(
        default=True,
        description="Equal seeds give equal files on a GPU too, at some cost of time; an operation of TensorFlow "
        "without a deterministic version is refused. On a CPU equal seeds always do.",
    )
    check_memorised: bool = Field(
        default=False,
        description="Report the share of the training images that the net has memorised, to test the set-up: with few "
        "images and no regularisation (recipe `debug`) it must be nearly all.",
    )
