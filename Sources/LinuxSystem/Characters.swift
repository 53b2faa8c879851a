// SPDX-License-Identifier: Apache-2.0

/// Whether the byte is an ASCII letter or digit: what all rules for names begin with.
package func isAlphanumeric(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
}
