// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Metadata
import Testing

/// A directory that is gone with the value.
final class TemporaryDirectory {
    let path: FilePath

    init() throws {
        var template = Array("/tmp/swrun-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SysError("mkdtemp", "/tmp", .current) }
        path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    deinit { try? removeTree(path) }
}

@Suite("Database")
struct DatabaseTests {
    let directory: TemporaryDirectory
    let database: Database

    init() throws {
        directory = try TemporaryDirectory()
        database = try Database(
            path: directory.path / "test.db", migrations: ["CREATE TABLE t (k TEXT PRIMARY KEY, v)"])
    }

    @Test(
        "gives back what was stored",
        arguments: [
            Value.null, .int64(.min), .double(1.5), .text("naïve ☃ \u{0} text"), .blob([]), .blob([0, 255, 1]),
            .text(""),
        ])
    func roundTrip(value: Value) throws {
        try database.execute("INSERT INTO t VALUES ('a', ?)", [value])
        #expect(try database.query("SELECT v FROM t").first?["v"] == value)
    }

    @Test("a transaction that throws leaves nothing behind")
    func rollback() throws {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try database.write { transaction in
                try transaction.execute("INSERT INTO t VALUES ('a', 1)")
                throw Stop()
            }
        }
        #expect(try database.query("SELECT * FROM t").isEmpty)
        #expect(try database.execute("INSERT INTO t VALUES ('a', 2)") == 1)
    }

    @Test("a second row with the same key is told apart from other failures")
    func constraint() throws {
        try database.execute("INSERT INTO t VALUES ('a', 1)")
        let error = #expect(throws: DatabaseError.self) { try database.execute("INSERT INTO t VALUES ('a', 1)") }
        #expect(error?.isConstraintViolation == true)
        let other = #expect(throws: DatabaseError.self) { try database.execute("INSERT INTO nowhere VALUES (1)") }
        #expect(other?.isConstraintViolation == false)
    }

    @Test("refuses a wrong number of parameters")
    func parameterCount() {
        #expect(throws: DatabaseError.self) { try database.execute("INSERT INTO t VALUES (?, ?)", ["a"]) }
    }

    @Test("migrations run once, in order, and newer files are refused")
    func migrations() throws {
        let path = directory.path / "migrated.db"
        _ = try Database(path: path, migrations: ["CREATE TABLE a (x)"])
        let second = try Database(path: path, migrations: ["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y"])
        #expect(try second.execute("INSERT INTO a (x, y) VALUES (1, 2)") == 1)
        #expect(throws: DatabaseError.self) { try Database(path: path, migrations: ["CREATE TABLE a (x)"]) }
    }

    @Test("components of one file have versions of their own")
    func components() throws {
        try database.migrate(component: "one", ["CREATE TABLE one (x)"])
        try database.migrate(component: "two", ["CREATE TABLE two (x)", "ALTER TABLE two ADD COLUMN y"])
        try database.migrate(component: "one", ["CREATE TABLE one (x)", "ALTER TABLE one ADD COLUMN y"])
        #expect(try database.execute("INSERT INTO one (x, y) VALUES (1, 2)") == 1)
        #expect(throws: DatabaseError.self) { try database.migrate(component: "two", ["CREATE TABLE two (x)"]) }
    }

    @Test("a migration that fails changes nothing")
    func failedMigration() throws {
        #expect(throws: DatabaseError.self) {
            try database.migrate(component: "bad", ["CREATE TABLE good (x); CREATE TABLE good (x)"])
        }
        #expect(throws: DatabaseError.self) { try database.query("SELECT * FROM good") }
    }

    @Test("data outlives the connection, and only the owner may read it")
    func reopened() throws {
        let path = directory.path / "kept.db"
        do {
            let first = try Database(path: path, migrations: ["CREATE TABLE a (x)"])
            try first.execute("INSERT INTO a VALUES (7)")
        }
        #expect(try Database(path: path).query("SELECT x FROM a").first?[0] == 7)
        #expect(try status(path).st_mode & 0o777 == 0o600)
    }

    @Test("labels survive the way through a column")
    func labels() throws {
        let labels: Labels = ["a/b.c": "x\"y", "": "", "ü": "☃"]
        try database.execute("INSERT INTO t VALUES ('a', ?)", [.labels(labels)])
        #expect(try database.query("SELECT v FROM t").first?.labels("v") == labels)
    }

    @Test("many tasks at once see whole transactions")
    func concurrency() async throws {
        try database.execute("INSERT INTO t VALUES ('n', 0)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { [database] in
                    for _ in 0..<10 {
                        try database.write { transaction in
                            let old = try transaction.first("SELECT v FROM t WHERE k = 'n'")?.int64("v") ?? 0
                            try transaction.execute("UPDATE t SET v = ? WHERE k = 'n'", [.int64(old + 1)])
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try database.query("SELECT v FROM t").first?[0] == 80)
    }
}
