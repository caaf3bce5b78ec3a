"""Which root, which packs: configuration becomes a project, packs become a ruleset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os.path import abspath, lexists
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from cortex_policy import world
from cortex_policy.documents.patterns import PatternError, compile_glob
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.ruleset.forms import Form, Source, suggest
from cortex_policy.ruleset.packs import PackFiles, Ruleset, load

CONFIG_KEYS: Final = ("version", "packs", "exclude", "truncated", "waivers")
PACK_SUFFIXES: Final = (".yaml", ".yml")


class Project(NamedTuple):
    """A root with what governs it: the packs by name or path, what is left out, what lies partly out of sight, and the
    files of waivers, as paths inside the root.

    `base` is where paths of packs start. `policy` and `documents` are the revisions that packs and documents are read
    from, None for the work tree; `folder` is the root as a revision names it.
    """

    root: Path
    packs: tuple[str, ...]
    base: Path
    exclude: tuple[str, ...] = ()
    truncated: tuple[str, ...] = ()
    waivers: tuple[str, ...] = ()
    policy: world.Snapshot | None = None
    documents: world.Snapshot | None = None
    folder: str = ""

    def tree(self) -> world.AnyTree:
        """The names of what is to be read. Raises `ConfigurationError`."""
        return world.list_tree(self.root) if self.documents is None else self.documents.tree(self.folder)

    @property
    def waiver_source(self) -> world.Snapshot | None:
        """The revision that waivers are read from, None for the work tree. INVARIANT: never that of a change which they
        could excuse: where there is a base, its policy. A pack that the caller names does not move them.
        """
        return self.policy if self.policy is not None else self.documents

    def holds(self, path: Path) -> bool:
        """Whether something of that name is there, in the work tree or in the revisions that are read."""
        then = [snapshot for snapshot in (self.documents, self.policy) if snapshot is not None]
        return (self.documents is None and lexists(path)) or any(snapshot.has(path) for snapshot in then)

    @property
    def revision(self) -> str:
        """What `inputs.revision` says of the documents."""
        return self.documents.commit if self.documents is not None else world.WORKTREE


def open_project(root: Path | None, packs: Sequence[str]) -> Project:
    """The project of `root` (default: that of the nearest configuration upwards); `packs` replaces the configured ones.

    Raises `ConfigurationError`.
    """
    if root is not None and not root.is_dir():
        raise ConfigurationError((world.no_directory(root),))
    config = _config_in(root) if root is not None else world.find_config(Path())
    if config is None:
        if not packs:
            raise ConfigurationError(
                (
                    Problem(
                        message=f"no `{world.CONFIG_NAME}` in `{root or Path()}`, and no `--pack`",
                        hint=f"{_init(root)}, or name a pack that ships: "
                        + ", ".join(f"`--pack {name}`" for name in shipped_packs()),
                    ),
                )
            )
        return Project(root=root or Path(), packs=tuple(packs), base=Path())
    return _configured(config, root, packs)


def _init(root: Path | None) -> str:
    from shlex import quote  # only for a message

    return f"run `cortex-policy init{'' if root is None else ' ' + quote(str(root))}`"


def _config_in(root: Path) -> Path | None:
    candidate = root / world.CONFIG_NAME
    return candidate if candidate.is_file() else None


def _configured(config: Path, root: Path | None, packs: Sequence[str]) -> Project:
    text = world.read_text(config, str(config))
    written = _configuration(str(config), text, packs, lambda path: (config.parent / path).is_file())
    return Project(
        root=root or config.parent,
        packs=tuple(packs) or written.packs,
        base=Path() if packs else config.parent,
        exclude=written.exclude,
        truncated=written.truncated,
        waivers=written.waivers,
    )


class _Configuration(NamedTuple):
    """What a `cortex-policy.yaml` says."""

    packs: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    truncated: tuple[str, ...] = ()
    waivers: tuple[str, ...] = ()


def _configuration(
    shown: str, text: str, packs: Sequence[str], is_file: Callable[[str], bool]
) -> _Configuration:
    """One configuration, checked; it need not name packs where `packs` replaces them. `is_file` tells of a path from
    the folder of the configuration whether a file is there. Raises `ConfigurationError`.
    """
    problems: list[Problem] = []
    source = Source(shown, text, problems)
    node = source.load()
    form = source.form(node, "the configuration", CONFIG_KEYS) if node is not None else None
    if form is not None:
        form.word("version", ("1",))
        if not packs and not form.texts("packs"):
            source.problem(node, "no packs are named", "such as `packs: [cortex]`")
        _check_globs(form, source)
        _check_waivers(form, source, is_file)
    if problems or form is None:
        raise ConfigurationError(tuple(problems))
    waivers = tuple(dict.fromkeys(_as_listed(text) for text in form.texts("waivers")))
    return _Configuration(form.texts("packs"), form.texts("exclude"), form.texts("truncated"), waivers)


def open_revision(root: Path | None, packs: Sequence[str], snapshot: world.Snapshot) -> Project:
    """The project of `root` as a revision of its repository holds it: configuration, packs by path, and documents.

    `packs` replaces the configured ones, as in `open_project`; their paths start at the current directory, in the
    revision too. Raises `ConfigurationError`.
    """
    folder = snapshot.start if root is not None else _configured_above(snapshot.start, snapshot)
    config = _joined_path(folder, world.CONFIG_NAME)
    written = _Configuration()
    if config in snapshot.blobs:
        written = _configuration(
            f"{snapshot.commit[: world.SHOWN_ID]}:{config}",
            snapshot.text(config, config),
            packs,
            lambda path: _joined_path(folder, path) in snapshot.blobs,
        )
    elif not packs:
        hint = "name a revision that has one, or a pack that ships: " + ", ".join(
            f"`--pack {name}`" for name in shipped_packs()
        )
        where = f"no `{config}` at revision {snapshot.commit[: world.SHOWN_ID]}, and no `--pack`"
        raise ConfigurationError((Problem(message=where, hint=hint),))
    top = snapshot.repository.top / folder
    return Project(
        root=root if root is not None else top,
        packs=tuple(packs) or written.packs,
        base=Path() if packs else top,
        exclude=written.exclude,
        truncated=written.truncated,
        waivers=written.waivers,
        policy=snapshot,
        documents=snapshot,
        folder=folder,
    )


def _configured_above(folder: str, snapshot: world.Snapshot) -> str:
    """The nearest folder upwards, in the revision, that has a configuration; `folder` itself when none has."""
    parts = folder.split("/") if folder else []
    for count in range(len(parts), -1, -1):
        above = "/".join(parts[:count])
        if _joined_path(above, world.CONFIG_NAME) in snapshot.blobs:
            return above
    return folder


def _joined_path(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _check_globs(form: Form, source: Source) -> None:
    for key in ("exclude", "truncated"):
        for scalar in form.scalars(key):
            try:
                compile_glob(scalar.text)
            except PatternError as error:
                source.problem(scalar, f"`{scalar.text}` cannot be used: {error}")


def _check_waivers(form: Form, source: Source, is_file: Callable[[str], bool]) -> None:
    """A file of waivers that is not there would make its author believe in exceptions that nobody grants."""
    for scalar in form.scalars("waivers"):
        path = PurePosixPath(scalar.text)
        if path.is_absolute() or ".." in path.parts or not is_file(path.as_posix()):
            hint = "name a file in the directory of this configuration, or below it"
            source.problem(scalar, f"`waivers` names `{scalar.text}`, which is no file of the root", hint)


def _as_listed(path: str) -> str:
    """A path as the tree of the root names it: `./a.yaml` is `a.yaml`."""
    return PurePosixPath(path).as_posix()


def shipped_packs() -> tuple[str, ...]:
    """The names of the packs that this installation ships."""
    return tuple(sorted(path.parent.name for path in world.shipped("rules").glob("*/pack.yaml")))


def read_pack(name: str, base: Path, snapshot: world.Snapshot | None = None) -> PackFiles:
    """A shipped pack by name, or one of your own by path from `base`, in the work tree or in a revision.

    Raises `ConfigurationError`.
    """
    schemas = world.read_folder(world.shipped("schemas"), "schemas", (".json",))
    if name in shipped_packs():
        files = world.read_folder(world.shipped("rules") / name, f"rules/{name}", PACK_SUFFIXES)
        return PackFiles(
            name=name,
            origin=f"rules/{name}",
            files=files,
            schemas=schemas,
            shipped=frozenset(schemas),
            tested=True,
        )
    own, texts = _own_pack(base / name, name, snapshot)
    return PackFiles(
        name=(base / name).resolve().name if snapshot is None else Path(abspath(base / name)).name,
        origin=name.rstrip("/"),
        files=texts,
        schemas={**schemas, **own},
        shipped=frozenset(schemas) - frozenset(own),
    )


def _own_pack(
    folder: Path, name: str, snapshot: world.Snapshot | None
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The schemas and the other files of a pack by path."""
    known = ", ".join(shipped_packs())
    hint = suggest(name, shipped_packs()) or f"shipped packs: {known}; your own is a path to a folder"
    if snapshot is None:
        if not folder.is_dir():
            raise ConfigurationError((Problem(message=f"no pack `{name}`", hint=hint),))
        schemas = world.read_folder(folder / "schemas", f"{name}/schemas", (".json",))
        return schemas, world.read_folder(folder, name, PACK_SUFFIXES)
    inside = snapshot.inside(folder)
    if inside and inside not in snapshot.folders:
        raise ConfigurationError(
            (Problem(message=f"no pack `{name}` at revision {snapshot.commit[: world.SHOWN_ID]}", hint=hint),)
        )
    schemas = snapshot.read_folder(_joined_path(inside, "schemas"), f"{name}/schemas", (".json",))
    return schemas, snapshot.read_folder(inside, name, PACK_SUFFIXES)


def read_packs(project: Project) -> list[PackFiles]:
    """Every pack of a project, as texts. Raises `ConfigurationError`."""
    return [read_pack(name, project.base, project.policy) for name in project.packs]


def load_ruleset(project: Project, *, whole: bool = True) -> Ruleset:
    """The packs of a project, checked; unless `whole`, gates and examples of shipped packs are left out.

    Raises `ConfigurationError`.
    """
    return load(read_packs(project), whole=whole)


def rulesets_here(root: Path | None, packs: Sequence[str]) -> tuple[Ruleset, ...]:
    """The rules of the project here; outside a project and without packs, those of every shipped pack by itself,
    because rules can be read without documents. Raises `ConfigurationError`.
    """
    if not packs and root is None and world.find_config(Path()) is None:
        return tuple(load([read_pack(name, Path())]) for name in shipped_packs())
    return (load_ruleset(open_project(root, packs)),)
