// SPDX-License-Identifier: Apache-2.0
package import GoTemplate
package import JSON

/// The labels of an object, as rows show them.
package enum LabelText {
    /// `a=1,b=2`
    package static func joined(_ labels: JSONValue?) -> String {
        (labels?.stringPairs ?? []).sorted { $0.key < $1.key }.map { $0.key + "=" + $0.value }.joined(separator: ",")
    }

    /// `.Label "x"`
    package static func method(_ labels: JSONValue?) -> TemplateRecord.Method {
        { name, arguments in
            guard name == "Label", let key = arguments.first else { return nil }
            return labels?[key] ?? ""
        }
    }
}
