// SPDX-License-Identifier: Apache-2.0
// Archive: layers to directories and back. What is read may be hostile (security model: docs/security.md).
//
//   ByteSource ── file, gzip (ISA-L), zstd; each pulls from the one before, with bounded memory
//     └─ TarReader (module Tar)
//          └─ LayerApplier ── entries to a directory, by descriptors that cannot leave it
//
//   LayerStack ── the directories that a mount shows as one tree
//     └─ TreeWalk ── one tree, or what differs between two, by descriptors that cannot leave them
//          └─ NodeWriter ── nodes to tar entries (module Tar)
//               └─ ByteSink ── gzip, zstd, file; each pushes into the next
