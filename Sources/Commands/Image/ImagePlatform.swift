// SPDX-License-Identifier: Apache-2.0
import Flags
import JSON

/// A platform as users write it, `linux/arm64/v8`, in the API's JSON form.
enum ImagePlatform {
    static func json(_ text: String) -> JSONValue {
        let parts = text.parts("/")
        var platform: JSONValue = [
            "architecture": .string(parts.count > 1 ? parts[1] : parts[0]),
            "os": .string(parts.count > 1 ? parts[0] : "linux"),
        ]
        if parts.count > 2 { platform.set("variant", .string(parts[2])) }
        return platform
    }
}

extension Flag {
    /// `--platform`, with what the platform is for.
    static func platform(_ purpose: String) -> Flag {
        .string("platform", purpose + ", as os[/arch[/variant]], e.g. linux/arm64")
    }
}
