// SPDX-License-Identifier: Apache-2.0
package import JSON

/// `linux.seccomp`: the system call filter.
package struct RuntimeSeccomp: Sendable, Equatable {
    package var defaultAction: String
    package var defaultErrno: UInt32?
    package var architectures: [String] = []
    /// Nil if the profile does not say; then the runtime chooses.
    package var flags: [String]?
    package var listenerPath = ""
    package var listenerMetadata = ""
    package var rules: [Rule] = []
    /// The profile as it was read: what a cached filter is looked up by.
    package var source: JSONValue

    init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
        defaultAction = try fields.required("defaultAction")
        defaultErrno = try fields.integer("defaultErrnoRet")
        architectures = try fields.strings("architectures")
        flags = fields.has("flags") ? try fields.strings("flags") : nil
        listenerMetadata = try fields.string("listenerMetadata") ?? ""
        listenerPath = try fields.string("listenerPath") ?? ""
        for rule in try fields.objects("syscalls") { rules.append(try Rule(rule)) }
        source = fields.whole
    }

    package struct Rule: Sendable, Equatable {
        package var names: [String]
        package var action: String
        package var errno: UInt32?
        package var arguments: [Argument] = []

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            names = try fields.strings("names")
            action = try fields.required("action")
            errno = try fields.integer("errnoRet")
            for argument in try fields.objects("args") { arguments.append(try Argument(argument)) }
            if names.isEmpty { throw RuntimeSpecError("linux.seccomp.syscalls: a rule needs a name") }
        }
    }

    /// A condition on one argument of the call.
    package struct Argument: Sendable, Equatable {
        package var index: UInt32
        package var value: UInt64
        package var valueTwo: UInt64
        package var comparison: String

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            index = try fields.integer("index") ?? 0
            value = try fields.integer("value") ?? 0
            valueTwo = try fields.integer("valueTwo") ?? 0
            comparison = try fields.required("op")
            if index > 5 { throw RuntimeSpecError("linux.seccomp.syscalls: argument index is above 5") }
        }
    }
}
