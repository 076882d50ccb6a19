"""The local gateway as a server in a thread."""

import threading
from typing import Self

from local.gateway.gateway_account import GatewayAccount
from local.gateway.gateway_core import SCRIPT, GatewayCore, PreviewHandler
from local.gateway.server import GatewayServer

LOOPBACK = "127.0.0.1"


class LocalGateway(GatewayCore):
    """Listens from the start of `with` to its end; a `port` of 0 is any free one.

    With a `credit`, messages beyond it are refused; `reply_form` is one of `reply_forms.FORMS`;
    `encode_destination_twice` is for accounts whose destination is encoded twice; `preview`
    previews a payload for the page.
    """

    def __init__(
        self,
        call_group: str,
        secret: str,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        credit: int | None = None,
        reply_form: str = "mixed",
        encode_destination_twice: bool = False,
        seed: int = 0,
        preview: PreviewHandler | None = None,
    ) -> None:
        super().__init__(
            GatewayAccount(call_group, secret, credit),
            reply_form=reply_form,
            encode_destination_twice=encode_destination_twice,
            seed=seed,
            preview=preview,
        )
        self._address = (host, port)

    def __enter__(self) -> Self:
        self._server = GatewayServer(self, *self._address)
        # The argument is the poll interval for its shutdown, in seconds.
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._serving.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._serving.join()
        self._server.server_close()

    @property
    def page_url(self) -> str:
        """The page with what the phones received."""
        host = self._address[0]
        shown = LOOPBACK if host in {"", "0.0.0.0"} else host  # noqa: S104  only compared
        return f"http://{shown}:{self._server.server_address[1]}/"

    @property
    def url(self) -> str:
        """The address of the gateway's script."""
        return self.page_url.removesuffix("/") + SCRIPT
