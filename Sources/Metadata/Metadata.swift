// SPDX-License-Identifier: Apache-2.0
// Metadata: durable records in SQLite (write-ahead log, synchronous=FULL), without Foundation.
//
//   Database ── one connection behind a lock; `write` and `read` each run one transaction
//     └─ Transaction ── execute, query, and nothing that can outlive the closure
//          └─ Connection ── the handle and its prepared statements
//
// A call blocks its thread for the length of a disk flush, so callers on the cooperative pool go through a blocking
// pool for anything but a few rows. SQLite's documentation (sqlite.org/c3ref) decides what each call means.
