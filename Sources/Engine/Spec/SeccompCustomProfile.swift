// SPDX-License-Identifier: Apache-2.0
package import JSON

extension SeccompProfile {
    /// The spec's object from a profile in docker's file format (`--security-opt seccomp=FILE`; the client sends the
    /// file's content).
    package static func custom(
        _ text: String, capabilities: [String], architecture: String
    ) throws(SpecError) -> JSONValue {
        let profile: JSONValue
        do throws(JSONError) { profile = try JSONValue(parsing: text) } catch {
            throw SpecError("Decoding seccomp profile failed: \(error.message)")
        }
        guard let action = profile["defaultAction"]?.string else {
            throw SpecError("Decoding seccomp profile failed: defaultAction is missing")
        }
        var result: JSONValue = ["defaultAction": .string(action)]
        if let errno = profile["defaultErrnoRet"], errno.int != nil { result.set("defaultErrnoRet", errno) }
        if let flags = profile["flags"], flags.strings != nil { result.set("flags", flags) }
        result.set("architectures", .strings(try architectures(of: profile, native: architecture)))
        let context = Context(capabilities: capabilities, architecture: architecture)
        let given = profile["syscalls"]?.array ?? []
        guard !given.contains(where: { $0["name"]?.string?.isEmpty == false && $0["names"]?.strings?.isEmpty == false })
        else {
            throw SpecError(
                "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'")
        }
        let rules = given.filter { context.applies($0) }.map { specRule($0) }
        result.set("syscalls", .array(rules))
        return result
    }

    /// `architectures` is used as it is; `archMap` is asked for the machine's own entry. Both together are refused.
    private static func architectures(of profile: JSONValue, native: String) throws(SpecError) -> [String] {
        let listed = profile["architectures"]?.strings ?? []
        let map = profile["archMap"]?.array ?? []
        if !listed.isEmpty, !map.isEmpty {
            throw SpecError(
                "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or "
                    + "'archMap'")
        }
        guard !map.isEmpty else { return listed }
        let wanted = architectures(native).first ?? ""
        for entry in map where entry["architecture"]?.string == wanted {
            return [wanted] + (entry["subArchitectures"]?.strings ?? [])
        }
        return []
    }

    private static func specRule(_ given: JSONValue) -> JSONValue {
        var names = given["names"]?.strings ?? []
        if let name = given["name"]?.string, !name.isEmpty { names.append(name) }
        var rule: JSONValue = ["names": .strings(names), "action": given["action"] ?? ""]
        if let errno = given["errnoRet"], errno.int != nil { rule.set("errnoRet", errno) }
        if let arguments = given["args"]?.array, !arguments.isEmpty { rule.set("args", .array(arguments)) }
        return rule
    }

    /// Decides whether a rule's `includes` and `excludes` hold for a container.
    private struct Context {
        var capabilities: [String]
        var architecture: String

        func applies(_ rule: JSONValue) -> Bool {
            let includes = rule["includes"] ?? .null
            let excludes = rule["excludes"] ?? .null
            let architectures = includes["arches"]?.strings ?? []
            let needed = includes["caps"]?.strings ?? []
            if !architectures.isEmpty, !architectures.contains(architecture) { return false }
            if !needed.allSatisfy({ capabilities.contains($0) }) { return false }
            if (excludes["arches"]?.strings ?? []).contains(architecture) { return false }
            return !(excludes["caps"]?.strings ?? []).contains { capabilities.contains($0) }
        }
    }
}
