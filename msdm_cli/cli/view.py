"""``msdm view``."""

from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.cli.console import print_line, say
from msdm_cli.cli.option_checks import check_here
from msdm_cli.cli.options import QuietOption


def view(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            callback=check_here,
            help="A folder of stems, of takes, or the msdm.json of results.",
        ),
    ],
    *,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Serve the page to a browser, until Ctrl-C."),
    ] = False,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Address to serve at. By default only this machine can open the page. On another "
            "one, run ssh -L 8000:localhost:8000 HOST, and open http://localhost:8000.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", min=0, max=65535, metavar="N", help="Port to serve at. 0 takes a free one."
        ),
    ] = 8000,
    quiet: QuietOption = False,
) -> None:
    """Make a page that plays stems: solo, mute, gain, loop, pictures.

    The page is index.html beside the stems. It opens from the disk, without a server or the
    network. A folder of takes gets one more page, which compares them: takes.html, if the folder
    holds stems of its own.

    \b
    Examples:
      msdm view stems/song
      msdm view generated --serve
    """  # noqa: D301  \b keeps the lines of the examples
    from msdm_cli.cli.hints import Hint, find_errno_hint, hinted
    from msdm_cli.errors import MissingStems, MsdmError, ResultsExist, UnwritableResults
    from msdm_cli.page.write import write_pages

    left_out: list[str] = []
    # Here, other options help than elsewhere.
    hints: dict[type[MsdmError], Hint] = {
        MissingStems: lambda error: error.remedy,
        ResultsExist: lambda error: error.remedy,
        UnwritableResults: lambda error: find_errno_hint(error, "copy it to a folder of yours"),
    }
    with hinted(hints):
        page, *others = write_pages(folder, left_out.append)
    if not serve:
        if not quiet:
            for made in (page, *others):
                print_line(str(made))
        _check_whole(page, left_out)
        return
    for reason in left_out:
        say(f"{reason}; the page leaves it out")
    _serve(page, host, port, quiet=quiet)


def _check_whole(page: Path, left_out: list[str]) -> None:
    """Fail if the page lacks a file.

    Raises:
        MsdmError: It does; the page is there all the same.
    """
    from msdm_cli.errors import MsdmError

    if left_out:
        raise MsdmError(
            f"{'; '.join(dict.fromkeys(left_out))}; the page leaves it out",
            f"{page} shows what can be read. Mend or remove the rest, and make the page again.",
        )


def _serve(page: Path, host: str, port: int, *, quiet: bool) -> None:
    """Serve a page until a signal comes.

    Raises:
        MsdmError: The port is taken, or there is no such address.
    """
    from msdm_cli.errors import MsdmError
    from msdm_cli.page.serve import PageServer

    try:
        server = PageServer(page.parent, page, host, port)
    except OSError as error:
        raise MsdmError(
            f"{host}:{port}: cannot serve there ({error.strerror or error})",
            "Choose another --port, or --port 0 for a free one.",
        ) from error
    with server:
        print_line(server.address)
        if not quiet:
            say("Ctrl-C ends the server")
        server.serve_forever()
