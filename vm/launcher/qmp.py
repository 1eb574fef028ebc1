# SPDX-License-Identifier: GPL-2.0-or-later
"""A client for the few QMP commands that snapshots need."""

from __future__ import annotations

import array
import json
import socket
import time
from typing import Any, Dict, List, Optional

from launcher.errors import GuestDied

PATIENCE = 60.0  # seconds; QEMU answers at once, but the host may be busy


class Qmp:
    """The monitor of one QEMU. `events` collects the names of what it announced."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.events: List[str] = []
        self._pending = b""
        self._greeted = False

    def command(self, name: str, arguments: Optional[Dict[str, Any]] = None,
                descriptor: int = -1, timeout: float = PATIENCE) -> Any:
        """Runs one command; DESCRIPTOR travels with it. Raises GuestDied on refusal or silence."""
        if not self._greeted:
            self._greeted = True
            self._await(lambda message: "QMP" in message, timeout)
            self.command("qmp_capabilities", timeout=timeout)
        text = json.dumps({"execute": name, "arguments": arguments or {}}).encode()
        extra = []
        if descriptor >= 0:
            extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
        try:
            self.sock.sendmsg([text], extra) if extra else self.sock.sendall(text)
        except OSError as error:
            raise GuestDied("qemu", f"QEMU's monitor is gone: {error.strerror}") from None
        reply = self._await(lambda message: "return" in message or "error" in message, timeout)
        if "error" in reply:
            raise GuestDied("monitor", f"QEMU refused {name}: {reply['error'].get('desc')}")
        return reply["return"]

    def wait_event(self, name: str, timeout: float = PATIENCE) -> None:
        """Returns once QEMU has announced event NAME."""
        if name not in self.events:
            self._await(lambda message: message.get("event") == name, timeout)

    def _await(self, wanted: Any, timeout: float) -> Dict[str, Any]:
        deadline = time.monotonic() + timeout
        while True:
            while b"\n" in self._pending:
                line, self._pending = self._pending.split(b"\n", 1)
                message = json.loads(line)
                if "event" in message:
                    self.events.append(message["event"])
                if wanted(message):
                    return dict(message)
            self.sock.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self.sock.recv(65536)
            except OSError:
                data = b""
            if not data:
                raise GuestDied("qemu", "QEMU's monitor does not answer")
            self._pending += data
