"""Which root, which packs: configuration becomes a project, packs become a ruleset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from cortex_policy import world
from cortex_policy.documents.patterns import PatternError, compile_glob
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.ruleset.forms import Source, suggest
from cortex_policy.ruleset.packs import PackFiles, Ruleset, load

CONFIG_KEYS: Final = ("version", "packs", "exclude", "truncated")
PACK_SUFFIXES: Final = (".yaml", ".yml")


class Project(NamedTuple):
    """A root with what governs it: the packs by name or path, what is left out, and what lies partly out of sight."""

    root: Path
    packs: tuple[str, ...]
    base: Path
    exclude: tuple[str, ...] = ()
    truncated: tuple[str, ...] = ()


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
                        hint="run `cortex-policy init`, or name a pack: " + ", ".join(shipped_packs()),
                    ),
                )
            )
        return Project(root=root or Path(), packs=tuple(packs), base=Path())
    return _configured(config, root, packs)


def _config_in(root: Path) -> Path | None:
    candidate = root / world.CONFIG_NAME
    return candidate if candidate.is_file() else None


def _configured(config: Path, root: Path | None, packs: Sequence[str]) -> Project:
    problems: list[Problem] = []
    source = Source(str(config), world.read_text(config, str(config)), problems)
    node = source.load()
    form = source.form(node, "the configuration", CONFIG_KEYS) if node is not None else None
    if form is not None:
        form.word("version", ("1",))
        if not packs and not form.texts("packs"):
            source.problem(node, "no packs are named", "such as `packs: [cortex]`")
        for key in ("exclude", "truncated"):
            for scalar in form.scalars(key):
                try:
                    compile_glob(scalar.text)
                except PatternError as error:
                    source.problem(scalar, f"`{scalar.text}` cannot be used: {error}")
    if problems or form is None:
        raise ConfigurationError(tuple(problems))
    return Project(
        root=root or config.parent,
        packs=tuple(packs) or form.texts("packs"),
        base=Path() if packs else config.parent,
        exclude=form.texts("exclude"),
        truncated=form.texts("truncated"),
    )


def shipped_packs() -> tuple[str, ...]:
    """The names of the packs that this installation ships."""
    return tuple(sorted(path.parent.name for path in world.shipped("rules").glob("*/pack.yaml")))


def read_pack(name: str, base: Path) -> PackFiles:
    """A shipped pack by name, or one of your own by path. Raises `ConfigurationError`."""
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
    folder = base / name
    if not folder.is_dir():
        known = ", ".join(shipped_packs())
        hint = suggest(name, shipped_packs()) or f"shipped packs: {known}; your own is a path to a folder"
        raise ConfigurationError((Problem(message=f"no pack `{name}`", hint=hint),))
    own = world.read_folder(folder / "schemas", f"{name}/schemas", (".json",))
    return PackFiles(
        name=folder.resolve().name,
        origin=name.rstrip("/"),
        files=world.read_folder(folder, name, PACK_SUFFIXES),
        schemas={**schemas, **own},
        shipped=frozenset(schemas) - frozenset(own),
    )


def load_ruleset(project: Project, *, gates: bool = True) -> Ruleset:
    """The packs of a project, checked; without `gates`, those of shipped packs are left out.

    Raises `ConfigurationError`.
    """
    return load([read_pack(name, project.base) for name in project.packs], gates=gates)


def rulesets_here(root: Path | None, packs: Sequence[str]) -> tuple[Ruleset, ...]:
    """The rules of the project here; outside a project and without packs, those of every shipped pack by itself,
    because rules can be read without documents. Raises `ConfigurationError`.
    """
    if not packs and root is None and world.find_config(Path()) is None:
        return tuple(load([read_pack(name, Path())]) for name in shipped_packs())
    return (load_ruleset(open_project(root, packs)),)
