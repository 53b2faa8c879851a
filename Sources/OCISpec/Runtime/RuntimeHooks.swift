// SPDX-License-Identifier: Apache-2.0
package import JSON

/// `hooks`: programs of the caller to run at fixed moments of a container's life (config.md, "POSIX-platform Hooks").
package struct RuntimeHooks: Sendable, Equatable {
    package var prestart: [Hook] = []
    package var createRuntime: [Hook] = []
    package var createContainer: [Hook] = []
    package var startContainer: [Hook] = []
    package var poststart: [Hook] = []
    package var poststop: [Hook] = []

    package init() {}

    package init(_ value: JSONValue) throws(RuntimeSpecError) { try self.init(try RuntimeFields(value, path: "hooks")) }

    init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
        prestart = try RuntimeHooks.list(fields, "prestart")
        createRuntime = try RuntimeHooks.list(fields, "createRuntime")
        createContainer = try RuntimeHooks.list(fields, "createContainer")
        startContainer = try RuntimeHooks.list(fields, "startContainer")
        poststart = try RuntimeHooks.list(fields, "poststart")
        poststop = try RuntimeHooks.list(fields, "poststop")
    }

    /// Whether something runs after the mounts are made and before the container's root is entered.
    package var hasAnyBeforeEntry: Bool {
        !(prestart.isEmpty && createRuntime.isEmpty && createContainer.isEmpty)
    }

    private static func list(_ fields: RuntimeFields, _ key: String) throws(RuntimeSpecError) -> [Hook] {
        var hooks: [Hook] = []
        for hook in try fields.objects(key) { hooks.append(try Hook(hook)) }
        return hooks
    }

    /// One program; it gets the container's state on its standard input.
    package struct Hook: Sendable, Equatable {
        package var path: String
        /// The whole argv, argv[0] included; empty means just the path.
        package var args: [String]
        /// Nil gives it the environment of the runtime.
        package var environment: [String]?
        /// Seconds after which it is killed and counts as failed.
        package var timeout: Int64?

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            path = try fields.required("path")
            args = try fields.strings("args")
            environment = fields.has("env") ? try fields.strings("env") : nil
            timeout = try fields.integer("timeout")
            if let timeout, timeout <= 0 { throw RuntimeSpecError("hook timeout must be positive") }
            guard path.utf8.first == UInt8(ascii: "/") else {
                throw RuntimeSpecError("hook path must be absolute: " + path)
            }
        }

        package var json: JSONValue {
            var value: JSONValue = ["path": .string(path), "args": .strings(args)]
            if let environment { value.set("env", .strings(environment)) }
            if let timeout { value.set("timeout", .int(timeout)) }
            return value
        }
    }
}
