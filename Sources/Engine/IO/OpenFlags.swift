// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Ways to open what may be hostile.
enum OpenFlags {
    /// A directory, to resolve paths in.
    static let directory = O_RDONLY | O_DIRECTORY
    /// A file that may turn out to be a FIFO or a terminal: never blocks, never becomes our terminal.
    static let safeRead = O_RDONLY | O_NONBLOCK | O_NOCTTY
}
