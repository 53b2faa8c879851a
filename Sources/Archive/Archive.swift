// SPDX-License-Identifier: Apache-2.0
// Archive: tar layers in. Everything here reads hostile input (security model: docs/security.md).
//
//   ByteSource ── file, gzip (ISA-L), zstd; each pulls from the one before, with bounded memory
//     └─ TarReader (module Tar)
//          └─ LayerApplier ── entries to a directory, by descriptors that cannot leave it
