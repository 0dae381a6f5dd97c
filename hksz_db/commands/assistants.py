"""``flask mcp``: serves assistants by the Model Context Protocol."""

import click
from flask.globals import app_ctx

from hksz_db.commands.terminal import errors_in_one_line


@click.option(
    "--http", is_flag=True, help="Serve at http://HOST:PORT/mcp instead of standard input."
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8010, show_default=True)
def mcp(*, http: bool, host: str, port: int) -> None:
    """Let assistants read claims and check texts, by the Model Context Protocol.

    It speaks on standard input and output, or with --http by streamable HTTP. All tools only read.
    It needs the packages of requirements-mcp.txt. It asks for no key, and so it does not serve HTTP
    where reading needs one.
    """
    try:
        from hksz_db.assistants.server import make_server  # noqa: PLC0415
    except ModuleNotFoundError as error:
        advice = "pip install -r requirements-mcp.txt"
        raise click.ClickException(f"{error.name} is not installed: {advice}") from None
    app = app_ctx.app
    if http and not app.config["OPEN_READS"]:
        raise click.ClickException("Reading needs a key (HKSZ_OPEN_READS), which --http lacks.")
    with errors_in_one_line() as database:
        database.check_version()
    server = make_server(app, app.config["VERSION"])
    if http:
        server.run("streamable-http", host=host, port=port, stateless_http=True)
    else:
        server.run("stdio")
