// SPDX-License-Identifier: Apache-2.0
// Tar: the one reader and the one writer of tar archives. Pure: bytes to values and back, no system call. What is read
// may be hostile (security model: docs/security.md).
//
//   ByteSource ── memory, pieces, or a source of another module
//     └─ TarReader ── v7, ustar, PAX and GNU headers to `TarEntry` values, strictly
//   TarEntry ── TarWriter ── ustar headers, with PAX records for what does not fit
