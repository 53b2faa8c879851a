// SPDX-License-Identifier: Apache-2.0
// Archive: tar layers in. Everything here reads hostile input (security model: docs/security.md).
//
//   ByteSource ── file, memory, gzip (ISA-L), zstd; each pulls from the one before, with bounded memory
//     └─ TarReader ── ustar, PAX and GNU headers to `TarEntry` values, strictly
//          └─ LayerApplier ── entries to a directory, by descriptors that cannot leave it
