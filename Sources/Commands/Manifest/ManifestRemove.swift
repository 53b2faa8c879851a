// SPDX-License-Identifier: Apache-2.0

/// `swrun manifest rm`
enum ManifestRemove {
    static let command = Command(
        "manifest rm", usage: "MANIFEST_LIST [MANIFEST_LIST...]", "Remove manifest lists that are stored here",
        arity: .atLeast(1), run: run)

    static func run(_ call: Invocation) throws {
        let store = ManifestStore(config: call.config)
        var failures: [String] = []
        for argument in call.arguments {
            do {
                let list = try ImageName.argument(argument)
                if try !store.remove(list) { failures.append("No such manifest: " + list.full) }
            } catch let error as CommandFailure { failures.append(error.message) }
        }
        if !failures.isEmpty { throw CommandFailure(failures.joined(separator: "\n")) }
    }
}
