// SPDX-License-Identifier: Apache-2.0
import Cgroups
import JSON

extension CgroupLocation {
    /// Pairs of a mount point and a path.
    var basesJSON: JSONValue { .array(bases.map { [.string($0.mountPoint), .string($0.path)] }) }

    /// The location with this path and `basesJSON`.
    init(path: String, bases: JSONValue) {
        self.init(path: path)
        for base in bases.array ?? [] {
            guard let pair = base.strings, pair.count == 2 else { continue }
            self.bases.append(Base(mountPoint: pair[0], path: pair[1]))
        }
    }
}
