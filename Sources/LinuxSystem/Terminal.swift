// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Sets the size that programs on a terminal see (TIOCSWINSZ); they get SIGWINCH if it changed.
package func setWindowSize(_ terminal: borrowing OwnedFD, columns: UInt16, rows: UInt16) throws(SysError) {
    let number = terminal.raw
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    try sys("ioctl(TIOCSWINSZ)") { swrun_ioctl_ptr(number, UInt(TIOCSWINSZ), &size) }
}
