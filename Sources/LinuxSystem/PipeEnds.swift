// SPDX-License-Identifier: Apache-2.0

extension Pipe {
    /// Gives the two ends away, each to an owner of its own.
    package consuming func withEnds<R, E: Error>(
        _ body: (_ read: consuming OwnedFD, _ write: consuming OwnedFD) throws(E) -> R
    ) throws(E) -> R {
        try body(read, write)
    }
}
