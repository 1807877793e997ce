"""What is said in warning of the files of a mail, by their names, types and first octets. Pure; opens none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.slack import blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.mail.content import Attachment

NAMED: Final = 3
NAME_UNITS: Final = 60

_PROGRAMS: Final = frozenset(
    {
        "ade", "adp", "apk", "app", "appimage", "application", "appref-ms", "appx", "appxbundle", "bas", "bat", "cab", "chm",
        "class", "cmd", "com", "command", "cpl", "deb", "desktop", "diagcab", "dll", "exe", "gadget", "hta", "ins", "iqy",
        "isp", "jar", "jnlp", "js", "jse", "library-ms", "lnk", "mde", "mjs", "msc", "msi", "msix", "msixbundle", "msp",
        "mst", "nsh", "one", "pif", "pkg", "pl", "ps1", "ps1xml", "psm1", "py", "pyw", "rdp", "reg", "rpm", "run", "scr",
        "sct", "search-ms", "settingcontent-ms", "sh", "shb", "shs", "slk", "sys", "terminal", "theme", "url", "vb", "vbe",
        "vbs", "vxd", "webloc", "workflow", "wsc", "wsf", "wsh", "xll",
    }
)  # fmt: skip
_PAGES: Final = frozenset({"htm", "html", "mht", "mhtml", "shtml", "svg", "svgz", "xht", "xhtml"})
_DISKS: Final = frozenset({"dmg", "img", "iso", "udf", "vhd", "vhdx", "vmdk"})
_MACROS: Final = frozenset(
    {
        "docm", "dotm", "potm", "ppam", "ppsm", "pptm", "sldm", "xlam", "xla", "xlm", "xlsb", "xlsm", "xltm", "wiz",
    }
)  # fmt: skip
_DOCUMENTS: Final = frozenset(
    {
        "bmp", "csv", "doc", "docx", "gif", "jpeg", "jpg", "mp3", "mp4", "odt", "pdf", "png", "ppt", "pptx", "rtf", "tif",
        "tiff", "txt", "wav", "xls", "xlsx",
    }
)  # fmt: skip
_PROGRAM_TYPES: Final = frozenset(
    {
        "application/hta", "application/java-archive", "application/vnd.microsoft.portable-executable",
        "application/x-dosexec", "application/x-executable", "application/x-msdos-program", "application/x-msdownload",
        "application/x-ms-shortcut", "application/x-sh", "text/javascript", "application/javascript", "text/x-python",
    }
)  # fmt: skip
_PAGE_TYPES: Final = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml"})


def warnings(attachments: Sequence[Attachment]) -> Iterator[str]:
    """A sentence for each kind of danger, with the names of the files."""
    listed = [each for each in attachments if not each.is_quiet]
    disguised = [each for each in listed if _is_disguised(each)]
    rest = [each for each in listed if each not in disguised]
    kinds = (
        ("The name hides what kind of file it is", disguised),
        (
            "May run a program; open only what you expect",
            [each for each in rest if _is_program(each)],
        ),
        (
            "May hold macros; open only what you expect",
            [each for each in rest if _ending(each) in _MACROS],
        ),
        (
            "A page that may ask for passwords; open only what you expect",
            [each for each in rest if _is_page(each)],
        ),
        (
            "A disk that may hold programs; open only what you expect",
            [each for each in rest if _ending(each) in _DISKS],
        ),
    )
    for words, found in kinds:
        if found:
            yield f"{words}: {_named(each.name for each in found)}"


def _named(names: Iterable[str]) -> str:
    whole = list(names)
    shown = ", ".join(blocks.plain(name, NAME_UNITS)["text"] for name in whole[:NAMED])
    return shown + (f" and {len(whole) - NAMED} more" if len(whole) > NAMED else "")


def _ending(file: Attachment) -> str:
    return file.name.lower().rpartition(".")[2] if "." in file.name else ""


def _is_disguised(file: Attachment) -> bool:
    """Whether a name shows another ending than the one that counts, or the octets are a program's under a harmless one."""
    ending = _ending(file)
    before = file.name.lower().rpartition(".")[0].rpartition(".")[2].strip()
    is_double = before in _DOCUMENTS and ending in _PROGRAMS | _PAGES | _DISKS
    return file.is_disguised or is_double or (_is_windows_program(file.octets) and ending not in _PROGRAMS)


def _is_program(file: Attachment) -> bool:
    return _ending(file) in _PROGRAMS or file.type in _PROGRAM_TYPES


def _is_page(file: Attachment) -> bool:
    return _ending(file) in _PAGES or (file.type in _PAGE_TYPES and not _is_program(file))


def _is_windows_program(octets: bytes) -> bool:
    at = int.from_bytes(octets[60:64], "little")
    return octets.startswith(b"MZ") and octets[at : at + 4] == b"PE\0\0"
