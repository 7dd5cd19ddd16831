"""Every setting once: its name, default, range and one sentence of help.

The same names serve the Python API, the command line, the settings file and the GIMP plug-in.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from bgwatch.errors import SettingsError
from bgwatch.naming import checked, counts
from bgwatch.problems import problems

Backdrop = Annotated[str, StringConstraints(pattern=r"^(auto|first-pixel|#[0-9a-fA-F]{6})$")]
Address = Annotated[str, StringConstraints(pattern=r"^((tcp|tls)://)?([^\s/:\[\]]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}$")]
Fill = Annotated[str, StringConstraints(pattern=r"^(transparent|#([0-9a-fA-F]{3}){1,2}|[^#\x00][^\x00]*)$")]
Canvas = Annotated[str, StringConstraints(pattern=r"^(square|[1-9][0-9]{0,4}x[1-9][0-9]{0,4})$")]
Padding = Annotated[
    str,
    BeforeValidator(lambda given: str(given) if type(given) is int else given),  # YAML's 20
    StringConstraints(pattern=r"^([0-9]{1,5}|[0-9]{1,3}(\.[0-9]{1,3})?%)$"),
]
Text = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00]+$")]


class Model(BaseModel):
    """Base of all settings: immutable, unknown keys refused, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    heading: ClassVar[str]  # of these settings where they are options of a command

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Validate what somebody wants.

        Raises
        ------
        SettingsError
            Naming every unknown option, and every value that is out of range or contradicts another.
        """
        try:
            return cls(**options)
        except ValidationError as error:
            raise SettingsError("; ".join(problems(error, cls))) from None


class Segmentation(Model):
    """How a background is found and taken out."""

    heading = "Background"

    method: Literal["auto", "kmeans", "threshold"] = Field(
        "auto", description="How the background is found: auto, or one of the article's kmeans and threshold."
    )
    clusters: int = Field(8, ge=1, le=256, description="Colour clusters for the method kmeans.")
    n_init: int = Field(1, ge=1, le=100, description="Starts of kmeans, of which the best is kept.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of every random choice.")
    tolerance: int = Field(
        20, ge=0, le=255, description="Largest difference in R, G or B that the method threshold takes for background."
    )
    backdrop: Backdrop = Field("auto", description="What is removed: auto, first-pixel, or a colour like '#c0c0c0'.")
    holes: Literal["auto", "open", "fill"] = Field(
        "auto",
        description="Background enclosed by the subject: opened on evidence (auto), always (open) or never (fill).",
    )
    shadow: Literal["remove", "keep"] = Field(
        "remove",
        description="A soft shadow on the background: gone with it (remove), or left as half-transparent black (keep).",
    )
    min_confidence: float = Field(0.5, ge=0, le=1, description="Below this confidence a result is called unsure.")


RESULT_SUFFIXES = {  # of each format; the first one is what results get
    "png": (".png",),
    "webp": (".webp",),
    "tiff": (".tiff", ".tif"),
    "avif": (".avif",),
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
}
LOSSLESS = ("png", "tiff")


class Output(Model):
    """What a result is."""

    heading = "Results"

    format: Literal["png", "webp", "tiff", "avif", "jpeg"] = Field("png", description="File format of results.")
    quality: int | None = Field(
        None,
        ge=1,
        le=100,
        description="Of WebP, AVIF and JPEG; without it WebP loses nothing and the others have 90.",
    )
    mask: bool = Field(False, description="Write the alpha alone, as a grey picture.")
    crop: bool = Field(False, description="Cut results to the subject.")
    crop_padding: Padding = Field(
        "0", description="Room left around the subject: pixels like 20, or a share of its longer side like 5%."
    )
    crop_alpha: float = Field(
        0.05, ge=0, le=1, description="What is more opaque than this belongs to the subject for crop and canvas."
    )
    canvas: Canvas | None = Field(
        None,
        description="Size of results, like 1000x1000 or square, with the subject in the middle, made smaller to fit; "
        "without it as large as the picture.",
    )
    enlarge: bool = Field(False, description="Let canvas make a small subject larger too.")
    fill: Fill = Field(
        "transparent", description="What is laid behind: transparent, a colour like '#ffffff', or a picture file."
    )
    fit: Literal["cover", "contain"] = Field(
        "cover", description="A picture behind fills the result and is cut (cover), or is seen whole (contain)."
    )
    strip: bool = Field(
        False, description="Leave out ICC profile, EXIF, XMP and resolution; colours are brought to sRGB before."
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if wrong := list(self._contradictions()):
            raise ValueError("; ".join(wrong))
        return self

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Validate what somebody wants, as of any model; what would have no effect is refused too."""
        try:
            made = cls(**options)
        except ValidationError as error:
            possible = not any(each["loc"] for each in error.errors())  # each for itself
            idle = cls.model_construct(**options).idle() if possible else []
            raise SettingsError("; ".join([*problems(error, cls), *idle])) from None
        if idle := made.idle():
            raise SettingsError("; ".join(idle))
        return made

    @property
    def suffix(self) -> str:
        """How the names of results end."""
        return RESULT_SUFFIXES[self.format][0]

    @property
    def picture_behind(self) -> str | None:
        """The picture that is laid behind, if it is one."""
        return None if self.fill == "transparent" or self.fill.startswith("#") else self.fill

    def _contradictions(self) -> Iterator[str]:
        if self.format == "jpeg" and self.fill == "transparent" and not self.mask:
            yield "format: jpeg has no transparency; set fill to a colour like '#ffffff', or take another format"
        if self.mask and self.fill != "transparent":
            yield "fill: nothing is laid behind a mask; leave out fill or mask"

    def idle(self) -> list[str]:
        """Say what was set and has no effect beside the other settings."""
        told = []
        if self.quality is not None and self.format in LOSSLESS:
            told.append(f"quality: {self.format} is written without loss; leave it out, or take webp, avif or jpeg")
        if self.enlarge and not self.canvas:
            told.append("enlarge: there is nothing to enlarge to; set canvas")
        if self.fit == "contain" and not self.picture_behind:
            told.append("fit: there is no picture to fit; name one with fill")
        if not (self.crop or self.canvas):
            told += [
                f"{name}: has no effect without crop or canvas; set one of them"
                for name in ("crop_padding", "crop_alpha")
                if getattr(self, name) != type(self).model_fields[name].default
            ]
        return told


class Naming(Model):
    """Under which names results appear."""

    heading = "Names"

    name: Annotated[str, AfterValidator(checked)] | None = Field(
        None,
        description="Names of results, made of {stem}, {name}, {folder}, {number} and {ext}, with / between folders; "
        "null keeps the stem.",
    )
    on_conflict: Literal["number", "overwrite", "skip"] = Field(
        "number",
        description="Where a result's name is taken: number the new one, overwrite the older one, or skip the picture.",
    )


class PictureLimits(Model):
    """What is refused before it can do harm."""

    heading = "Pictures"

    max_pixels: int = Field(250_000_000, ge=1, description="Pictures of more pixels are refused before decoding.")
    max_bytes: int = Field(2_000_000_000, ge=1, description="Larger files are refused before they are read.")
    max_frames: int = Field(1000, ge=1, description="Pictures of more frames or pages are refused before decoding.")
    frames: Literal["first", "all", "each", "refuse"] = Field(
        "first",
        description="Of several frames or pages: the first, all (in one file, or else numbered in a folder), each "
        "(numbered), or none (refuse).",
    )

    @property
    def several(self) -> bool:
        """Whether a picture of several frames becomes more than the first of them."""
        return self.frames in ("all", "each")


class FetchLimits(Model):
    """What fetching a picture from an address may cost, and where it may lead."""

    heading = "URLs"

    fetch_seconds: int = Field(60, ge=1, le=86_400, description="A URL that is not there whole by then is given up.")
    allow_private_hosts: bool = Field(
        False, description="Fetch from this machine and from private networks too; redirects may then lead there."
    )


class WorkerLimits(Model):
    """What one picture may cost."""

    heading = "Workers"

    worker_seconds: int = Field(300, ge=1, le=86_400, description="A picture that takes longer is given up.")
    worker_memory_mb: int = Field(
        8192, ge=512, le=1_048_576, description="Address space a worker process may use, in megabytes."
    )


class Machines(WorkerLimits):
    """Where pictures are cut out."""

    heading = "Machines"

    scheduler: Address | None = Field(
        None,
        description="Dask scheduler, like tls://host:8786, whose workers do it; null means processes of this machine.",
    )
    insecure_scheduler: bool = Field(
        False, description="Use a scheduler on another machine without tls://; whoever reaches it can run code here."
    )

    @model_validator(mode="after")
    def _scheduler_is_ours(self) -> Self:
        if self.scheduler and not self.insecure_scheduler and not _private(self.scheduler):
            raise ValueError(
                f"scheduler: {self.scheduler} is neither tls:// nor on this machine, and whoever reaches a Dask "
                "scheduler can run code on all its machines; use tls://, or say --insecure-scheduler "
                "(insecure_scheduler: true) in a network you trust"
            )
        return self


class FolderDefaults(PictureLimits, Naming, Output, Segmentation):
    """What may be set for all folders at once, or for each."""

    heading = "Watched folders"

    settle_seconds: float = Field(
        1.0, ge=0.05, le=3600, description="A file is taken once it has not changed for this long."
    )
    done: Text = Field(
        "done", description="Originals of finished pictures: keep, delete, or a folder (relative: inside the outbox)."
    )
    failed: Text = Field("failed", description="Folder for originals that failed, with the reason beside them.")
    review: Text = Field("review", description="Folder for results below min_confidence, with the reason beside them.")

    @field_validator("name")
    @classmethod
    def _names_need_no_run(cls, name: str | None) -> str | None:
        if counts(name):
            raise ValueError("{number} counts the pictures of one call of remove; leave it out for a watched folder")
        return name


class Folder(FolderDefaults):
    """One watched folder."""

    inbox: Text = Field(description="The folder that is watched.")
    outbox: Text = Field(description="The folder that results appear in.")


class Settings(Machines, FolderDefaults):
    """A whole settings file."""

    heading = "Daemon"

    workers: int | None = Field(None, ge=1, le=256, description="Worker processes; null means one for each CPU.")
    rescan_seconds: float = Field(
        30.0, ge=0.1, le=86400, description="The folders are read through this often, whatever events said."
    )
    polling: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Read the folders every few seconds instead of waiting for events: where there are none (auto), "
        "always, or never.",
    )
    ledger_days: int = Field(
        90, ge=1, le=36_500, description="Pictures that left the inbox are forgotten after this many days."
    )
    folders: tuple[Folder, ...] = Field((), description="The watched folders; each may override any setting above.")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        return self  # these are defaults, to which each folder adds its own

    @model_validator(mode="after")
    def _inboxes_differ(self) -> Self:
        inboxes = [folder.inbox for folder in self.folders]
        twice = {inbox for inbox in inboxes if inboxes.count(inbox) > 1}
        if twice:
            raise ValueError(f"inbox {min(twice)!r} is named twice; give each inbox one entry")
        return self


def _private(address: str) -> bool:
    """Tell whether a scheduler's address is encrypted, or reached from this machine alone."""
    import ipaddress

    scheme, _, rest = address.rpartition("://")
    host = rest.rpartition(":")[0].strip("[]")
    if scheme == "tls" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may lead anywhere
        return False
