# SPDX-License-Identifier: Apache-2.0
"""A command at a terminal of its own, for what it asks the person there."""
import fcntl
import os
import pty
import select
import subprocess
import termios
import time


class Terminal:
    def __init__(self, command, env):
        self.master, slave = pty.openpty()
        self.slave = slave

        def own():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([str(word) for word in command], stdin=slave, stdout=slave, stderr=slave,
                                        env={**os.environ, **env}, preexec_fn=own)
        self.shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def read_until(self, text, seconds=10):
        """Everything shown so far, once it has `text`."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, f"{text!r} does not come after {self.shown!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 65536).decode(errors="replace")
        return self.shown

    def type(self, text):
        os.write(self.master, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def wait(self, seconds=10):
        """The exit code; what is still shown is read."""
        code = self.process.wait(seconds)
        while select.select([self.master], [], [], 0.1)[0]:
            self.shown += os.read(self.master, 65536).decode(errors="replace")
        return code
