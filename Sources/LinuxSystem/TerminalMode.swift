// SPDX-License-Identifier: Apache-2.0
package import CLinux

/// The line discipline of a terminal: looked at, made raw for a container's own terminal, and put back.
package enum TerminalMode {
    package static func isTerminal(_ fd: CInt) -> Bool { isatty(fd) == 1 }

    /// Columns and rows (TIOCGWINSZ); nil when `fd` is no terminal.
    package static func size(_ fd: CInt) -> (columns: UInt16, rows: UInt16)? {
        var size = winsize()
        guard swrun_ioctl_ptr(fd, UInt(TIOCGWINSZ), &size) == 0 else { return nil }
        return (size.ws_col, size.ws_row)
    }

    /// Turns off every interpretation of input by the terminal, and with `output` also that of output (as cfmakeraw
    /// does). Returns what `restore` needs.
    package static func makeRaw(_ fd: CInt, output: Bool = true) throws(SysError) -> termios {
        let before = try current(fd)
        var raw = before
        cfmakeraw(&raw)
        if !output { raw.c_oflag = before.c_oflag }
        try set(fd, &raw)
        return before
    }

    /// For passwords: nothing is shown, and each key comes by itself, Control-C and the erase key too, so that whoever
    /// reads them can put the terminal back before it ends.
    package static func disableEcho(_ fd: CInt) throws(SysError) -> termios {
        let before = try current(fd)
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        try set(fd, &silent)
        return before
    }

    package static func restore(_ fd: CInt, _ state: termios) {
        var state = state
        _ = try? set(fd, &state)
    }

    private static func current(_ fd: CInt) throws(SysError) -> termios {
        var state = termios()
        try sys("tcgetattr") { tcgetattr(fd, &state) }
        return state
    }

    private static func set(_ fd: CInt, _ state: inout termios) throws(SysError) {
        var copy = state
        try sys("tcsetattr") { tcsetattr(fd, TCSANOW, &copy) }
        state = copy
    }
}
