// SPDX-License-Identifier: Apache-2.0
import Metadata

/// The tables of the supervisor's own records. Content, snapshots and images have theirs beside their code.
enum SupervisorSchema {
    static let component = "supervisor"

    static let migrations = [
        """
        CREATE TABLE namespaces (name TEXT PRIMARY KEY, labels TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE containers (
            namespace TEXT NOT NULL, id TEXT NOT NULL, record BLOB NOT NULL, PRIMARY KEY (namespace, id));
        CREATE TABLE leases (
            namespace TEXT NOT NULL, id TEXT NOT NULL, created_at INTEGER NOT NULL, labels TEXT NOT NULL,
            PRIMARY KEY (namespace, id)) WITHOUT ROWID;
        CREATE TABLE lease_resources (
            namespace TEXT NOT NULL, lease TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
            PRIMARY KEY (namespace, lease, type, id),
            FOREIGN KEY (namespace, lease) REFERENCES leases (namespace, id) ON DELETE CASCADE) WITHOUT ROWID;
        """
    ]
}
