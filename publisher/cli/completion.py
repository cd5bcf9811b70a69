"""completion: what a shell may complete, and the scripts by which it asks."""

import json as json_
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from publisher.cli import COMMANDS, GROUPS
from publisher.cli.output import Json, print_json, show
from publisher.errors import PublisherError
from publisher.intake.text import SUFFIXES
from publisher.settings import FILE_NAME
from publisher.settings_installation import load_installation
from publisher.site.scan import ISSUES

_BASH = """\
_publisher() {
    local IFS=$'\\n'
    COMPREPLY=($("${COMP_WORDS[0]}" completion bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _publisher publisher
"""
_ZSH = """\
#compdef publisher
_publisher() {
    local -a found
    found=("${(@f)$("${words[1]}" completion zsh -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "${found[1]}" ]]; then
        _describe -V publisher found
    else
        _files
    fi
}
if [[ "${funcstack[1]}" == "_publisher" ]]; then
    _publisher "$@"
else
    compdef _publisher publisher
fi
"""
_FISH = """\
function __publisher_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($before[1] completion fish -- $before[2..] "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c publisher -f -a '(__publisher_complete)'
"""
_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
# Where bash parts words besides spaces, and so replaces only what is behind it.
_BASH_BREAKS = (":", "=")


class Candidate(msgspec.Struct, frozen=True):
    """A word that may stand there, and what it means."""

    word: str
    meaning: str = ""


def completion_command(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORD…",
            help="What was typed behind `publisher`, the last word being the one to complete; the"
            " script asks so.",
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Print the script by which a shell completes commands, options and the names of issues.

    \b
    Examples:
      eval "$(publisher completion bash)"
      eval "$(publisher completion zsh)"
      publisher completion fish > ~/.config/fish/completions/publisher.fish
    """
    if shell not in _SCRIPTS:
        raise PublisherError(f"there is no shell {shell!r} here; there are {', '.join(_SCRIPTS)}")
    if words is None:
        _print_script(_SCRIPTS[shell], json)
        return 0
    typed = _join_parts(words) if shell == "bash" else words
    found = find_candidates(typed, Path())
    if json:
        print_json({"words": found})
        return 0
    for candidate in found:
        show(_write(candidate, shell, typed[-1]))
    return 0


def _print_script(script: str, is_json: bool) -> None:
    if is_json:
        print_json({"script": script})
    else:
        show(script.rstrip("\n"))


def _join_parts(words: Sequence[str]) -> list[str]:
    """Undo what bash does to `--scope issues:read`: it takes the colon for a word of its own."""
    joined: list[str] = []
    is_open = False
    for word in words:
        is_break = word in _BASH_BREAKS
        if joined and (is_break or is_open):
            joined[-1] += word
        else:
            joined.append(word)
        is_open = is_break
    return joined


def _write(candidate: Candidate, shell: str, current: str) -> str:
    """A candidate as a shell's script reads it."""
    if shell == "bash":
        kept = max(current.rfind(each) + 1 for each in _BASH_BREAKS)
        return candidate.word[kept:]
    if shell == "zsh":
        word = candidate.word.replace(":", "\\:")
        return f"{word}:{candidate.meaning}" if candidate.meaning else word
    return f"{candidate.word}\t{candidate.meaning}".rstrip("\t")


def find_candidates(words: Sequence[str], folder: Path) -> list[Candidate]:
    """Find what may stand in the place of the last word; nothing where it may be any file.

    `folder` is where the command line is.
    """
    *before, current = words
    name, rest = _find_command(before)
    if name in COMMANDS:
        found = _behind(_read_words()[name], rest, current, folder)
    elif rest:
        found = []
    else:
        found = [*_first_words(name)]
    return [each for each in found if each.word.startswith(current)]


def _find_command(before: Sequence[str]) -> tuple[str, list[str]]:
    """The command in the words, or the first half of one, and what stands behind it."""
    words = [*before[1:]] if before[:1] == ["help"] else [*before]
    if words and words[0] in GROUPS:
        whole = " ".join(words[:2])
        return (whole, words[2:]) if whole in COMMANDS else (words[0], words[1:])
    return (words[0], words[1:]) if words and words[0] in COMMANDS else ("", words)


def _first_words(group: str) -> Iterable[Candidate]:
    if group:
        beginning = f"{group} "
        for name, (_, line) in COMMANDS.items():
            if name.startswith(beginning):
                yield Candidate(name.removeprefix(beginning), line)
        return
    lines = {name: line for name, (_, line) in COMMANDS.items()} | GROUPS
    for word in dict.fromkeys(name.partition(" ")[0] for name in COMMANDS):
        yield Candidate(word, lines[word])
    yield Candidate("--version", "print the version")
    yield Candidate("--help", "list the commands")


def _read_words() -> Any:
    """What publisher.cli.words has written: of each command its options, and its argument as ""."""
    return json_.loads(Path(__file__).with_name("words.json").read_text("utf-8"))


def _behind(known: Any, rest: Sequence[str], current: str, folder: Path) -> list[Candidate]:
    option, is_given, _ = current.partition("=")
    if is_given and "value" in known.get(option, {}):
        values = _values(known[option]["value"], rest, folder)
        return [Candidate(f"{option}={each.word}", each.meaning) for each in values]
    if rest and rest[-1].startswith("-") and "value" in known.get(rest[-1], {}):
        return _values(known[rest[-1]]["value"], rest, folder)
    argument = known.get("")
    is_wanted = argument and (argument.get("many") or not _has_argument(known, rest))
    if is_wanted and not current.startswith("-"):
        return _values(argument["value"], rest, folder)
    return _options(known, rest)


def _has_argument(known: Any, rest: Sequence[str]) -> bool:
    """Tell whether something stands there that is neither an option nor an option's value."""
    before = ("--", *rest)
    return any(
        not word.startswith("-") and "value" not in known.get(previous, {})
        for previous, word in zip(before, rest, strict=False)
    )


def _options(known: Any, rest: Sequence[str]) -> list[Candidate]:
    given = {word.partition("=")[0] for word in rest}
    return [
        *(
            Candidate(name, described["help"])
            for name, described in known.items()
            if name and (name not in given or described.get("many"))
        ),
        Candidate("--help", "Explain the command."),
    ]


def _values(values: Any, rest: Sequence[str], folder: Path) -> list[Candidate]:
    if values == "issues":
        return [Candidate(name) for name in _find_issues(_publication_folder(rest, folder))]
    if values == "publications":
        return [Candidate(each) for each in _find_publications(_settings(rest, folder))]
    return [Candidate(value) for value in values or ()]


def _settings(rest: Sequence[str], folder: Path) -> Path:
    """The settings that `--config` names, or else those where the shell is."""
    return folder / (_given("--config", rest) or FILE_NAME)


def _given(option: str, rest: Sequence[str]) -> str:
    return rest[rest.index(option) + 1] if option in rest[:-1] else ""


def _publication_folder(rest: Sequence[str], folder: Path) -> Path:
    """The folder of the settings, or of the one that `--publication` names of several."""
    file = _settings(rest, folder)
    name = _given("--publication", rest)
    return _find_publications(file).get(name, file.parent)


def _find_publications(file: Path) -> dict[str, Path]:
    """The folders of several publications by their names; none where a file is of one."""
    try:
        found = load_installation(file)
    except PublisherError:
        found = None
    members = found.members if found else ()
    return {each.name: file.parent / each.folder for each in members}


def _find_issues(folder: Path) -> list[str]:
    """The names of issues, the newest first as their names tell."""
    try:
        files = sorted((folder / ISSUES).iterdir(), reverse=True)
    except OSError:
        return []
    names = [path.stem for path in files if path.suffix in SUFFIXES]
    return [name for name in names if not name.startswith(".")]
